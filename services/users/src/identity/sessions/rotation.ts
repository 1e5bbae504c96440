/** Seven days from sign-in; no refresh makes it longer. */
export const sessionLifeMs = 7 * 24 * 60 * 60 * 1_000;
/** How long a client may repeat a refresh whose answer it did not get. */
const graceMs = 10_000;

/** A refresh token that is known, with its session. */
export interface KnownToken {
  readonly endedAt: Date | null;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
  /** Hash of what the client that used it called itself. */
  readonly usedBy: Buffer | null;
  /** Whether its successor is still waiting for its first use. */
  readonly successorUnused: boolean;
}

export type RotationStep =
  /** Use it up and give its successor. */
  | 'rotate'
  /** Give the same successor again: the first answer was lost on its way. */
  | 'repeat'
  /** It is used and comes again: somebody holds a copy, so nobody keeps the session. */
  | 'end'
  | 'refuse';

/**
 * What to do with a refresh token that is presented.
 *
 * Source: RFC 9700, section 4.14.2; docs/domain/identity.md#sessions
 */
export function stepFor(token: KnownToken | undefined, client: Buffer, now: Date): RotationStep {
  if (token === undefined || token.endedAt !== null || now >= token.expiresAt) return 'refuse';
  const { usedAt, usedBy, successorUnused } = token;
  if (usedAt === null) return 'rotate';
  const sameClient = usedBy?.equals(client) === true;
  const justNow = now.getTime() - usedAt.getTime() <= graceMs;
  // A successor in use was received, so its answer was not lost and this is a copy.
  return sameClient && justNow && successorUnused ? 'repeat' : 'end';
}
