import { accessTokens } from '@marimo/contracts/users';

export interface Revocations {
  /** Whether tokens of this session issued at that moment are void. */
  covers(sessionId: string, issuedAt: Date): boolean;
  add(revocations: readonly accessTokens.Revocation[]): void;
}

/** What has been revoked, for as long as a token from before could still be alive. */
export function rememberRevocations(now: () => number = Date.now): Revocations {
  const revokedAt = new Map<string, number>(); // by session, oldest first

  return {
    covers: (sessionId, issuedAt) =>
      issuedAt.getTime() <= (revokedAt.get(sessionId) ?? Number.NEGATIVE_INFINITY),
    add(revocations) {
      for (const { sessionId, revokedAt: at } of revocations) {
        revokedAt.delete(sessionId);
        revokedAt.set(sessionId, at.getTime());
      }
      const eldest = now() - accessTokens.accessToken.lifetimeSeconds * 1000;
      for (const [sessionId, at] of revokedAt) {
        if (at >= eldest) break;
        revokedAt.delete(sessionId);
      }
    },
  };
}
