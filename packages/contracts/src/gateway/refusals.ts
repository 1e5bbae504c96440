import { refusal } from '@marimo/problems';
import { z } from 'zod';

export class PlatformNotReady extends refusal(z.object({ missing: z.array(z.string()) }), {
  code: 'gateway.platform-not-ready',
  kind: 'unavailable',
  title: 'The platform is not ready',
  detail: ({ missing }) => `No ready instance of ${missing.join(', ')}.`,
}) {}

export class OriginRefused extends refusal(z.object({ origin: z.string() }), {
  code: 'gateway.origin-refused',
  kind: 'forbidden',
  title: 'Origin not allowed',
  detail: ({ origin }) =>
    `Pages of ${origin} cannot use the platform. If the origin is yours, add it to ALLOWED_ORIGINS.`,
}) {}

export class ServiceSaturated extends refusal(z.object({ service: z.string() }), {
  code: 'gateway.service-saturated',
  kind: 'unavailable',
  title: 'Service at capacity',
  detail: ({ service }) =>
    `${service} has reached its limit of concurrent requests. Nothing was changed; retry after the time in Retry-After.`,
}) {}

export class Overloaded extends refusal(z.object({}), {
  code: 'gateway.overloaded',
  kind: 'unavailable',
  title: 'The platform is overloaded',
  detail: () =>
    'More urgent requests take precedence. Nothing was changed; retry after the time in Retry-After.',
}) {}

export class TooManySockets extends refusal(z.object({ limit: z.int() }), {
  code: 'gateway.too-many-sockets',
  kind: 'busy',
  title: 'Too many open WebSockets',
  detail: ({ limit }) => `At most ${limit} can be open at once. Close one that is no longer needed.`,
}) {}

export class ChangeRefused extends refusal(z.object({ conflicts: z.array(z.string()) }), {
  code: 'gateway.change-refused',
  kind: 'refused',
  title: 'Conflicting change',
  detail: ({ conflicts }) => `Nothing was changed. ${conflicts.join('; ')}.`,
}) {}
