import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { CustomFetch } from 'openid-client';
import { Agent, type Dispatcher, request } from 'undici';
import { isOwnAddress } from './addresses.ts';

const timeoutMs = 5_000;
const limitBytes = 1_048_576;
/** Answers with these have no body (RFC 9110). */
const bodiless = [204, 205, 304];

/** As `dns.lookup`, for all addresses of a name. */
export type Resolve = (
  name: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Asks what an organisation says is its provider: 5 s, 1 MiB, no redirects, nothing unpacked. `guarded`: never this
 * machine or its cloud. The check is made on the very addresses the connection is then made to, so a name that changes
 * its mind in between gains nothing.
 */
export function outsideFetch(guarded: boolean, resolve: Resolve = lookup): CustomFetch {
  const dispatcher = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: limitBytes,
    connect: { timeout: timeoutMs, ...(guarded && { lookup: guardedLookup(resolve) }) },
  });
  return async (url, { method, headers, body, signal }) => {
    const { hostname } = new URL(url);
    if (guarded && isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 && isOwnAddress(hostname)) throw refused();
    const answer = await request(url, {
      dispatcher,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body === undefined || body === null ? null : textOf(body),
      signal: signal ?? null,
    });
    const { statusCode: status } = answer;
    const bytes = await answer.body.arrayBuffer();
    const contentType = answer.headers['content-type'];
    return new Response(bodiless.includes(status) ? null : bytes, {
      status,
      headers: { 'content-type': [contentType ?? ''].flat().join() },
    });
  };
}

function guardedLookup(resolve: Resolve): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null) done(error, '', 0);
      else if (first === undefined || addresses.some(({ address }) => isOwnAddress(address))) {
        done(refused(), '', 0);
      } else if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

function refused(): NodeJS.ErrnoException {
  return new Error('The address belongs to this machine or its cloud');
}

/** openid-client sends forms and nothing else. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError('A provider is sent forms only');
}
