import { createHmac } from 'node:crypto';
import type { ActingService } from '@marimo/contracts';

/** What this process can prove who it is with: the secret that those of all services come from, or one service's own. */
export type ServiceSecrets = { readonly internal: string } | { readonly own: string };

/**
 * The secret a service proves itself to `users` with. It comes from `INTERNAL_SECRET`, so that `users` need not store
 * one for each, and says nothing of the others': HMAC-SHA-256 of the service's name, in base64url.
 */
export function serviceSecretOf(internalSecret: string, service: string): string {
  return createHmac('sha256', internalSecret).update(service).digest('base64url');
}

/** The secret of this process when it acts as that service; one that was only given its own has no other. */
export function secretOf(secrets: ServiceSecrets, service: ActingService): string {
  return 'own' in secrets ? secrets.own : serviceSecretOf(secrets.internal, service);
}
