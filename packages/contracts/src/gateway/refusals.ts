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
  title: 'A page of another site may not open this socket',
  detail: ({ origin }) => `Add ${origin} to ALLOWED_ORIGINS if it is yours.`,
}) {}
