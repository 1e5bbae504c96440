import { refusal } from '@marimo/problems';
import { z } from 'zod';

export class PlatformNotReady extends refusal(z.object({ missing: z.array(z.string()) }), {
  code: 'gateway.platform-not-ready',
  kind: 'unavailable',
  title: 'The platform cannot serve yet',
  detail: ({ missing }) => `No ready instance of ${missing.join(', ')}.`,
}) {}

export class OriginRefused extends refusal(z.object({ origin: z.string() }), {
  code: 'gateway.origin-refused',
  kind: 'forbidden',
  title: 'Pages of this origin may not use the platform',
  detail: ({ origin }) => `Add ${origin} to ALLOWED_ORIGINS if it is yours.`,
}) {}

export class ServiceSaturated extends refusal(z.object({ service: z.string() }), {
  code: 'gateway.service-saturated',
  kind: 'unavailable',
  title: 'This service has as many requests as it may have at once',
  detail: ({ service }) => `${service} was not asked and nothing was changed; try again soon.`,
}) {}

export class Overloaded extends refusal(z.object({}), {
  code: 'gateway.overloaded',
  kind: 'unavailable',
  title: 'The platform is overloaded',
  detail: () => 'More urgent requests go first. Nothing was changed; try again as soon as Retry-After says.',
}) {}

export class TooManySockets extends refusal(z.object({ limit: z.int() }), {
  code: 'gateway.too-many-sockets',
  kind: 'busy',
  title: 'Too many sockets are open',
  detail: ({ limit }) => `At most ${limit} may be open at once; close one that is no longer needed.`,
}) {}

export class ChangeRefused extends refusal(z.object({ conflicts: z.array(z.string()) }), {
  code: 'gateway.change-refused',
  kind: 'refused',
  title: 'The change contradicts itself or what is there',
  detail: ({ conflicts }) => `Nothing was changed. ${conflicts.join('; ')}.`,
}) {}
