/** Who is calling, as their access token says. */
export interface Caller {
  readonly userId: string;
  readonly tenantId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
  /** The token itself, to hand on to another service. */
  readonly bearer: string;
  may(permission: string): boolean;
}

/** Turns a bearer token into a caller; throws `Unauthenticated` for every token it does not like. */
export interface TokenVerifier {
  verify(token: string): Promise<Caller>;
}
