import type { IncomingMessage } from 'node:http';
import { type AnyEndpoint, Forbidden, StepUpRequired, Unauthenticated } from '@marimo/contracts';
import { stepUpWithinSeconds } from '@marimo/contracts/users';
import type { Caller, TokenVerifier } from '../caller.ts';

/**
 * Lets in whom the endpoint's `access` lets in. The bearer token is the only thing believed about the caller: no
 * header that names a user, a tenant or a role is ever read. On a public endpoint a token is not looked at.
 */
export async function admit(
  { access, stepUp }: AnyEndpoint,
  req: IncomingMessage,
  { verifier, clock }: { readonly verifier: TokenVerifier; readonly clock: () => Date },
): Promise<Caller | undefined> {
  if (access === 'public') return undefined;
  // The types exclude it; a route made some other way must still be closed to everyone.
  if (access !== 'signed-in' && typeof access?.name !== 'string') throw new Forbidden({ permission: null });

  const caller = await verifier.verify(bearerOf(req));
  if (access !== 'signed-in' && !caller.may(access.name)) throw new Forbidden({ permission: access.name });
  if (stepUp) demandRecentProof(caller, clock());
  return caller;
}

function demandRecentProof({ authenticatedAt }: Caller, now: Date): void {
  const ageMs =
    authenticatedAt === undefined ? Number.POSITIVE_INFINITY : now.getTime() - authenticatedAt.getTime();
  if (ageMs > stepUpWithinSeconds * 1_000) throw new StepUpRequired({ maxAgeSeconds: stepUpWithinSeconds });
}

function bearerOf(req: IncomingMessage): string {
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Unauthenticated({});
  return token;
}
