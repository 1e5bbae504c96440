import type { AuthenticationMethod } from '@marimo/contracts/users';

/** Who is calling, as their access token says. */
export interface Caller {
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
  /** What the organisation's own roles grant beside `roles`. */
  readonly grants: readonly string[];
  /** Another text whenever what they may do is another. */
  readonly permissionsVersion: string;
  /** When they last proved who they are; undefined for a program, which cannot. */
  readonly authenticatedAt: Date | undefined;
  /** How they did (RFC 8176). */
  readonly methods: readonly AuthenticationMethod[];
  /** The token itself, to hand on to another service. */
  readonly bearer: string;
  may(permission: string): boolean;
}

/** Turns a bearer token into a caller; throws `Unauthenticated` for every token it does not like. */
export interface TokenVerifier {
  verify(token: string): Promise<Caller>;
}
