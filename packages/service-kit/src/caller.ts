import type { ActingService } from '@marimo/contracts';
import type { accessTokens } from '@marimo/contracts/users';

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
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  /** The token itself, to hand on to another service. */
  readonly bearer: string;
  may(permission: string): boolean;
}

/** A service that calls for itself, as its token says. */
export interface CallingService {
  readonly name: ActingService;
  /** The organisation it acts in; undefined where it acts in none. */
  readonly tenantId: string | undefined;
  /** The person in whose name it acts, whose right it has checked; only in an organisation. */
  readonly authorId?: string | undefined;
}

/** Turns a bearer token into a caller; throws `Unauthenticated` for every token it does not like, a service's included. */
export interface CallerVerifier {
  verify(token: string): Promise<Caller>;
}

/** Knows services by their tokens too; throws `Unauthenticated` for every other, a person's included. */
export interface TokenVerifier extends CallerVerifier {
  verifyService(token: string): Promise<CallingService>;
}
