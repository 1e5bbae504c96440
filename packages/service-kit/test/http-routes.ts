import { text } from 'node:stream/consumers';
import { type AnyEndpoint, endpoint, forServices, permission } from '@marimo/contracts';
import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { etagOf, handle, type Route, reply, requireMatch } from '../src/index.ts';

const Order = z.strictObject({
  quantity: z.int().min(1),
  lines: z.array(z.strictObject({ item: z.string() })).default([]),
  meta: z.json().optional(),
});
export const maySee = permission('accounting.account.read', { en: 'See', ru: 'Видеть' });

export const takeOrder = endpoint({
  method: 'POST',
  path: '/api/v1/test/orders',
  summary: 'Takes an order.',
  access: 'signed-in',
  body: Order,
  bodyLimitBytes: 2_000,
  replies: { 201: z.any() },
});
export const takeLongOrder = endpoint({
  ...takeOrder,
  path: '/api/v1/test/long-orders',
  bodyLimitBytes: 2_000_000,
});
export const findOrder = endpoint({
  method: 'GET',
  path: '/api/v1/test/orders/{id}',
  summary: 'Finds an order.',
  access: maySee,
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ limit: z.coerce.number().max(9).optional() }),
  replies: { 200: z.any() },
});
export const whoAmI = endpoint({
  method: 'GET',
  path: '/api/v1/test/me',
  summary: 'Who is asking.',
  access: 'signed-in',
  replies: { 200: z.any() },
});
export const pulse = endpoint({
  method: 'GET',
  path: '/api/v1/test/pulse',
  summary: 'Is asked all the time.',
  access: 'public',
  query: z.strictObject({ count: z.coerce.number().optional() }),
  polled: true,
  replies: { 200: z.any() },
});
export const upload = endpoint({
  method: 'POST',
  path: '/api/v1/test/uploads',
  summary: 'Takes text as it comes.',
  access: 'signed-in',
  body: { stream: ['text/csv'] },
  bodyLimitBytes: 100_000,
  repeat: 'natural',
  replies: { 200: z.any() },
});
export const slow = endpoint({
  method: 'GET',
  path: '/api/v1/test/slow',
  summary: 'Never answers.',
  access: 'public',
  deadlineMs: 60_000,
  replies: { 200: z.any() },
});
export const versioned = endpoint({
  method: 'GET',
  path: '/api/v1/test/versioned',
  summary: 'Has a version.',
  access: 'public',
  replies: { 200: z.any(), 204: z.null() },
});
export const changeVersioned = endpoint({
  ...versioned,
  method: 'PUT',
  summary: 'Changes what has a version.',
});
export const failing = endpoint({
  method: 'GET',
  path: '/api/v1/test/failing',
  summary: 'Fails.',
  access: 'public',
  replies: { 200: z.any() },
});
export const askSecret = endpoint({
  method: 'GET',
  path: '/internal/test/secrets',
  summary: 'Tells other services what nobody else may know.',
  access: forServices('workers', 'operator'),
  replies: { 200: z.any() },
});
export const askTenantSecret = endpoint({
  ...askSecret,
  path: '/internal/test/secrets-of-organisation',
  summary: 'Tells other services what they may know of one organisation.',
});
export const undeclared = {
  ...whoAmI,
  path: '/api/v1/test/undeclared',
  access: undefined,
} as unknown as AnyEndpoint;

export class OutOfStock extends refusal(z.object({ left: z.int() }), {
  code: 'test.out-of-stock',
  kind: 'refused',
  title: 'There is not enough',
  detail: ({ left }) => `Only ${left} left.`,
}) {}

/** What the last handler that never answers was given. */
export const lastSlow: { signal: AbortSignal | undefined } = { signal: undefined };
export const httpRoutes: readonly Route[] = [
  handle(takeOrder, async ({ body }) => {
    if (body.quantity > 10) throw new OutOfStock({ left: 10 });
    return reply(201, body);
  }),
  handle(takeLongOrder, async ({ body }) => reply(201, body)),
  handle(findOrder, async ({ params, query }) => reply(200, { ...params, ...query })),
  handle(whoAmI, async ({ caller, tenantId: tenant }) => reply(200, { user: caller?.userId, tenant })),
  handle(upload, async ({ stream, contentType }) =>
    reply(200, { length: (await text(stream)).length, contentType }),
  ),
  handle(pulse, async () => reply(200, {})),
  handle(slow, async ({ signal }) => {
    lastSlow.signal = signal;
    return new Promise(() => {});
  }),
  handle(versioned, async (call) => {
    requireMatch(call, 7);
    return reply(200, { hello: 'world' }, { etag: etagOf(7) });
  }),
  handle(changeVersioned, async () => reply(200, { hello: 'again' }, { etag: etagOf(8) })),
  handle(failing, async () => {
    throw new Error('password=hunter2 in SQL');
  }),
  handle(askSecret, async ({ caller, service }) => reply(200, { caller: caller ?? null, service })),
  handle(askTenantSecret, async ({ tenantId, inTenant }) =>
    reply(200, { tenantId, inside: await inTenant(async (tx) => tx.tenantId) }),
  ),
  handle(undeclared as typeof whoAmI, async () => reply(200, {})),
];
