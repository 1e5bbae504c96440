import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { ActingService } from '../services.ts';
import { accessToken } from './access-token.ts';

/**
 * What makes a token one of a service that acts for itself. `users` signs with these and every verifier demands them,
 * each to the letter. Type, audience and claims are other than an access token's, so that neither passes for the other.
 */
export const serviceToken = {
  algorithm: accessToken.algorithm,
  issuer: accessToken.issuer,
  audience: 'marimo-services',
  type: 'service+jwt',
  lifetimeSeconds: 5 * 60,
} as const;

/** The claims of a service token; no other is known. */
export const ServiceTokenClaims = z.strictObject({
  iss: z.literal(serviceToken.issuer),
  aud: z.literal(serviceToken.audience),
  sub: ActingService,
  tid: z.uuid().optional(), // the organisation, where it acts in one
  iat: z.int(),
  exp: z.int(),
});
export type ServiceTokenClaims = z.infer<typeof ServiceTokenClaims>;

/** The same for a service nobody knows and a secret that is wrong. */
export class ServiceRefused extends refusal(z.object({}), {
  code: 'users.service-refused',
  kind: 'unauthenticated',
  title: 'The secret does not belong to the service',
  detail: () => 'Check INTERNAL_SECRET or SERVICE_SECRET of the calling process.',
}) {}

/** In the spirit of RFC 6749 section 4.4: a service asks for itself, and what proves it stands in the body. */
export const issue = endpoint({
  method: 'POST',
  path: '/internal/users/service-tokens',
  summary: 'Exchanges the secret of a service for a token of that service.',
  access: 'public',
  body: z.strictObject({
    service: z.string().min(1).max(100),
    secret: z.string().min(1).max(500),
    /** The only organisation it may act in with this token. */
    organisationId: Id.optional(),
  }),
  replies: {
    200: z.strictObject({
      accessToken: z.string(),
      /** Seconds. */
      expiresIn: z.int(),
      tokenType: z.literal('Bearer'),
    }),
  },
  refusals: [ServiceRefused],
  repeat: 'natural',
  deadlineMs: 5_000,
});
