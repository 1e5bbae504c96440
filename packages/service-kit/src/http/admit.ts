import type { IncomingMessage } from 'node:http';
import { type Access, Forbidden, Unauthenticated } from '@marimo/contracts';
import type { Caller, TokenVerifier } from '../caller.ts';

/**
 * Lets in whom the endpoint's `access` lets in. The bearer token is the only thing believed about the caller: no
 * header that names a user, a tenant or a role is ever read. On a public endpoint a token is not looked at.
 */
export async function admit(
  access: Access,
  req: IncomingMessage,
  verifier: TokenVerifier,
): Promise<Caller | undefined> {
  if (access === 'public') return undefined;
  // The types exclude it; a route made some other way must still be closed to everyone.
  if (access !== 'signed-in' && typeof access?.name !== 'string') throw new Forbidden({ permission: null });

  const caller = await verifier.verify(bearerOf(req));
  if (access !== 'signed-in' && !caller.may(access.name)) throw new Forbidden({ permission: access.name });
  return caller;
}

function bearerOf(req: IncomingMessage): string {
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new Unauthenticated({});
  return token;
}
