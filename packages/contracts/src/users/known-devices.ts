import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Instant } from '../measures.ts';
import { OwnProofNeeded } from './credentials.ts';

export const KnownDevice = z.strictObject({
  /** Sent along with the next sign-in on this device; it opens nothing by itself. */
  deviceToken: z.string(),
  expiresAt: Instant,
});
export type KnownDevice = z.infer<typeof KnownDevice>;

/**
 * While strangers guess somebody's password from everywhere, sign-in is slowed for devices nobody knows. A device with
 * a token has attempts of its own, so its owner still gets in.
 */
export const remember = endpoint({
  method: 'POST',
  path: '/api/v1/users/me/known-devices',
  summary: 'Remembers this device, so that sign-in attempts elsewhere cannot lock its owner out.',
  access: 'signed-in',
  replies: { 201: KnownDevice },
  refusals: [OwnProofNeeded],
  repeat: 'natural',
});
