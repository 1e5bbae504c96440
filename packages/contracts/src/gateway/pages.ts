import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { PlatformNotReady } from './refusals.ts';

/** One service as the gateway sees it; no addresses, because the page is public. */
export const ServiceHealth = z.strictObject({
  instances: z.int(),
  alive: z.int(),
  ready: z.int(),
  /** Instances the gateway sends nothing to for the moment, because they failed too often. */
  shutOff: z.int(),
});
export type ServiceHealth = z.infer<typeof ServiceHealth>;

export const PlatformHealth = z.strictObject({
  status: z.enum(['ok', 'degraded']),
  services: z.record(z.string(), ServiceHealth),
  /** Since discovery last answered. */
  discoveryAgeSeconds: z.number(),
});
export type PlatformHealth = z.infer<typeof PlatformHealth>;

export const PlatformReady = z.strictObject({
  status: z.literal('ready'),
  /** `disk`: the registry has not answered since this start; instances are called that were kept from an earlier one. */
  discovery: z.enum(['registry', 'disk']),
  /** Services whose routes were kept from an earlier start, because nobody has answered for them yet. */
  keptRoutes: z.array(z.string()),
});
export type PlatformReady = z.infer<typeof PlatformReady>;

export const health = endpoint({
  method: 'GET',
  path: '/health',
  summary: 'How every service behind the gateway is; 200 as long as the gateway itself lives.',
  access: 'public',
  replies: { 200: PlatformHealth },
});

export const ready = endpoint({
  method: 'GET',
  path: '/ready',
  summary: 'Whether every service the platform runs has an instance that can serve.',
  access: 'public',
  replies: { 200: PlatformReady },
  refusals: [PlatformNotReady],
});
