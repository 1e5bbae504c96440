import type { RequestListener } from 'node:http';
import { type AnyEndpoint, endpoint, Unauthenticated } from '@marimo/contracts';
import type { Caller, CallerVerifier } from '@marimo/service-kit';
import { z } from 'zod';
import { gatewayTo, type Options, stock, upstream } from './gateway-under-test.ts';

export const replies = { 200: z.unknown() };
export const cache = { freshMs: 10_000, staleIfErrorMs: 60_000 };
export const prices: readonly AnyEndpoint[] = [
  ...stock,
  endpoint({ method: 'GET', path: '/api/v1/stock/prices', summary: '', access: 'signed-in', cache, replies }),
  endpoint({ method: 'GET', path: '/api/v1/stock/offers', summary: '', access: 'public', cache, replies }),
  endpoint({
    method: 'GET',
    path: '/api/v1/stock/hasty',
    summary: '',
    access: 'public',
    cache,
    deadlineMs: 400,
    replies,
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/stock/secrets',
    summary: '',
    access: 'signed-in',
    repeat: 'natural',
    cache,
    replies,
  }),
  endpoint({ method: 'POST', path: '/api/v1/stock/prices', summary: '', access: 'signed-in', replies }),
];

/** `Bearer <tenant> <user> <version>` with dots; one session for all, so that only these tell them apart. */
export const verifier: CallerVerifier = {
  async verify(token) {
    const [tenantId, userId, permissionsVersion] = token.split('.');
    if (!tenantId || !userId || !permissionsVersion) throw new Unauthenticated({});
    const caller: Caller = {
      tenantId,
      userId,
      permissionsVersion,
      sessionId: 'one',
      roles: [],
      grants: [],
      authenticatedAt: new Date(),
      methods: ['pwd'],
      bearer: token,
      may: () => true,
    };
    return caller;
  },
};

export const env = { RATE_LIMIT_CALLER: '9999/s', RATE_LIMIT_USER: '9999/s', RATE_LIMIT_ADDRESS: '9999/s' };
export const pine = '0190a000-0000-7000-8000-0000000000a1';
export const oak = '0190a000-0000-7000-8000-0000000000a2';
export const anna = `${pine}.anna.1`;
export const oakOlga = `${oak}.olga.1`;

export type Asked = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> };

export async function pricesBehindGateway(listener: RequestListener, options: Options = {}) {
  let now = Date.parse('2026-03-01T12:00:00Z');
  const service = await upstream(listener);
  const gateway = await gatewayTo([service.instance], {
    contracts: { stock: prices },
    verifier,
    env,
    clock: () => new Date(now),
    ...options,
  });
  const ask = async (path = '/prices', token = anna, init: Asked = {}) => {
    const headers = { authorization: `Bearer ${token}`, ...init.headers };
    const answer = await fetch(`${gateway.url}/api/v1/stock${path}`, { ...init, headers });
    return { answer, text: await answer.text(), cached: answer.headers.get('x-marimo-cache') };
  };
  return { service, gateway, ask, later: (ms: number) => (now += ms) };
}

/** Answers with a new number each time. */
export function counting(): RequestListener {
  let count = 0;
  return (_, res) =>
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ count: ++count }));
}
