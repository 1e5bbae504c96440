import type { IncomingMessage } from 'node:http';
import {
  type AnyEndpoint,
  Forbidden,
  type ForServices,
  Id,
  isForServices,
  MalformedRequest,
  StepUpRequired,
  Unauthenticated,
} from '@marimo/contracts';
import { accessTokens } from '@marimo/contracts/users';
import { authorHeader } from '@marimo/resilience';
import type { Caller, CallingService, TokenVerifier } from '../caller.ts';

export interface Admitting {
  readonly verifier: TokenVerifier;
  readonly clock: () => Date;
}

/** Who was let in: a person or program, a service for itself, or anybody. */
export interface Admitted {
  readonly caller?: Caller | undefined;
  readonly service?: CallingService | undefined;
}

/**
 * Lets in whom the endpoint's `access` lets in. The bearer token is the only thing believed about the caller: no
 * header that names a user, a tenant or a role is ever read, but the author whom a service names beside its own token. On
 * a public endpoint a token is not looked at.
 */
export async function admit(
  { access, method, stepUp }: AnyEndpoint,
  req: IncomingMessage,
  { verifier, clock }: Admitting,
): Promise<Admitted> {
  if (access === 'public') return {};
  if (isForServices(access)) {
    const service = requireListedService(access, await verifier.verifyService(bearerOf(req)));
    return { service: { ...service, authorId: authorOf(req, service) } };
  }
  // The types exclude it; a route made some other way must still be closed to everyone.
  if (access !== 'signed-in' && typeof access?.name !== 'string') throw new Forbidden({ permission: null });

  const caller = await verifier.verify(bearerOf(req));
  if (access !== 'signed-in' && !caller.may(access.name)) throw new Forbidden({ permission: access.name });
  if (stepUp) requireRecentProof(caller, clock());
  // What no permission names, no scope of an API key can allow: a program may look at it and change nothing.
  const isProgram = caller.authenticatedAt === undefined;
  if (isProgram && access === 'signed-in' && method !== 'GET') throw new Forbidden({ permission: null });
  return { caller };
}

function requireListedService({ services }: ForServices, service: CallingService): CallingService {
  if (!services.includes(service.name)) throw new Forbidden({ permission: null });
  return service;
}

/** Read only once the token has been verified, and only where it says in which organisation the service acts. */
function authorOf(req: IncomingMessage, { tenantId }: CallingService): string | undefined {
  const given = req.headers[authorHeader];
  if (given === undefined || tenantId === undefined) return undefined;
  const author = Id.safeParse(given);
  if (author.success) return author.data;
  throw new MalformedRequest({ errors: [{ pointer: '', detail: `${authorHeader} is the id of a person` }] });
}

function requireRecentProof({ authenticatedAt }: Caller, now: Date): void {
  const ageMs =
    authenticatedAt === undefined ? Number.POSITIVE_INFINITY : now.getTime() - authenticatedAt.getTime();
  if (ageMs > accessTokens.stepUpWithinSeconds * 1_000)
    throw new StepUpRequired({ maxAgeSeconds: accessTokens.stepUpWithinSeconds });
}

function bearerOf(req: IncomingMessage): string {
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Unauthenticated({});
  return token;
}
