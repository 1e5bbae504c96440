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
  /** Services whose routes were kept from an earlier start, because no instance has answered yet. */
  keptRoutes: z.array(z.string()),
});
export type PlatformReady = z.infer<typeof PlatformReady>;

export const health = endpoint({
  method: 'GET',
  path: '/health',
  summary: 'Returns the health of every service behind the gateway; 200 as long as the gateway itself runs.',
  access: 'public',
  replies: { 200: PlatformHealth },
});

export const ready = endpoint({
  method: 'GET',
  path: '/ready',
  summary: 'Returns whether every expected service has an instance that is ready.',
  access: 'public',
  replies: { 200: PlatformReady },
  refusals: [PlatformNotReady],
});
