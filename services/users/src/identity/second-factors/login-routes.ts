import { TooManyRequests } from '@marimo/contracts';
import {
  type accessTokens,
  type identity,
  organisations,
  secondFactors,
  type sessions,
} from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import {
  getMembership,
  lockOrganisationShared,
  type Membership,
} from '../../organisations/organisations/index.ts';
import { getPerson, lockAuthentication } from '../people/index.ts';
import { actingAs, networkOf, type StartedSession, signedIn, startSession } from '../sessions/index.ts';
import { countAgainst, refusalOf, type VerificationFailure } from './answers.ts';
import { deleteChallenge, type FirstStep, lockLoginChallenge, takeChallenge } from './challenge-store.ts';
import { challengeHash, challengeIn } from './challenge-text.ts';
import { methodsAfter } from './methods.ts';
import type { SecondFactorParts } from './parts.ts';
import { lockPasskey } from './passkey-store.ts';
import { requestOptions } from './passkeys.ts';
import { askFor, proofOf } from './second-step.ts';
import { verifyPasskeySignature, verifySecondFactor } from './verify-second-factor.ts';

type Started = {
  readonly kind: 'started';
  readonly membership: Membership;
  readonly session: StartedSession;
};
type Outcome = Started | VerificationFailure;

/** What is left to do once somebody has proved who they are. */
interface Arrival {
  readonly personId: string;
  readonly method: sessions.SignInMethod;
  readonly methods: readonly accessTokens.AuthenticationMethod[];
  readonly call: Call;
  readonly now: Date;
}

/** Who only asks and never answers fills a table; nobody signs in this often by hand. */
const passkeyChallenges = { perSecond: 1, burst: 60 };

export function signInRoutes(deps: Deps, parts: SecondFactorParts): readonly Route[] {
  return [
    handle(secondFactors.finishLogin, async (call) => {
      const now = deps.clock();
      const finish = (tx: Transaction) => answerChallenge(deps, parts, tx, call, now);
      return reply(200, await tokensOf(parts, await call.withoutTenant(finish), now));
    }),

    handle(secondFactors.challengePasskey, async (call) => {
      const { allowed, retryAfterMs } = await deps.cache.take(
        `passkey:${networkOf(call.address)}`,
        passkeyChallenges,
      );
      if (!allowed) {
        const retryAfterSeconds = Math.ceil(retryAfterMs / 1_000);
        throw new TooManyRequests({ limit: passkeyChallenges.burst }, { retryAfterSeconds });
      }
      const question = { purpose: 'passkey-login' } as const;
      const challenge = await call.withoutTenant((tx) => askFor(tx, question, deps.clock()));
      return reply(200, requestOptions(parts.relyingParty, challenge, 'required', []));
    }),

    handle(secondFactors.loginWithPasskey, async (call) => {
      const now = deps.clock();
      const signIn = (tx: Transaction) => answerAlone(deps, parts, tx, call, now);
      return reply(200, await tokensOf(parts, await call.withoutTenant(signIn), now));
    }),
  ];
}

/** The answer to a challenge: a session, or one wrong answer more. Refusals are thrown once this is committed. */
async function answerChallenge(
  deps: Deps,
  parts: SecondFactorParts,
  tx: Transaction,
  call: Call<typeof secondFactors.finishLogin>,
  now: Date,
): Promise<Outcome> {
  const { challenge, ...presented } = call.body;
  const hash = challengeHash(challenge);
  const first = await lockLoginChallenge(tx, hash, now);
  if (first === undefined || !(await stillHolds(tx, first))) return { kind: 'unanswerable' };

  const { personId, tenantId, methods } = first;
  const here = await tx.enterTenant(tenantId);
  return actingAs(tenantId, personId, async () => {
    const result = await verifySecondFactor(parts.verification, here, {
      personId,
      presented,
      challenge,
      now,
    });
    if (result.kind === 'wrong') await countAgainst(here, deps.outbox, hash, personId);
    if (result.kind !== 'right') return result;
    await deleteChallenge(here, hash);
    const method = methods.includes('fed') ? 'federated' : 'password';
    return arrive(deps, here, { personId, method, methods: methodsAfter(methods, result.proof), call, now });
  });
}

/** A password that was changed or reset meanwhile opens nothing any more. */
async function stillHolds(tx: Transaction, { personId, firstProof }: FirstStep): Promise<boolean> {
  if (firstProof === null) return true;
  await lockAuthentication(tx, personId);
  const person = await getPerson(tx, personId);
  return proofOf(person?.passwordHash ?? null)?.equals(firstProof) === true;
}

async function answerAlone(
  deps: Deps,
  parts: SecondFactorParts,
  tx: Transaction,
  call: Call<typeof secondFactors.loginWithPasskey>,
  now: Date,
): Promise<Outcome> {
  const { passkey } = call.body;
  const challenge = challengeIn(passkey.response.clientDataJSON);
  const asked = { purpose: 'passkey-login' } as const;
  if (challenge === undefined || !(await takeChallenge(tx, challengeHash(challenge), asked, now))) {
    return { kind: 'wrong' };
  }
  const stored = await lockPasskey(tx, Buffer.from(passkey.id, 'base64url'));
  if (stored === undefined) return { kind: 'wrong' };
  const person = await getPerson(tx, stored.personId);
  // Nobody has said who they are, so the device must: its handle is what binds the key to a person.
  if (person === undefined || passkey.response.userHandle == null) return { kind: 'wrong' };

  const { personId, lastTenantId } = person;
  const here = await tx.enterTenant(lastTenantId);
  return actingAs(lastTenantId, personId, async () => {
    const result = await verifyPasskeySignature(parts.verification, here, {
      stored,
      passkey,
      challenge,
      now,
    });
    if (result.kind !== 'right') return result;
    if (!result.proof.verified) return { kind: 'wrong' };
    const methods = methodsAfter([], result.proof);
    return arrive(deps, here, { personId, method: 'passkey', methods, call, now });
  });
}

async function arrive({ outbox }: Deps, tx: TenantTransaction, arrival: Arrival): Promise<Started> {
  const { personId, method, methods, call, now } = arrival;
  await lockOrganisationShared(tx);
  const membership = await getMembership(tx, personId, now);
  if (membership === undefined) throw new organisations.NoActiveMembership({});
  const { userAgent, address } = call;
  const session = await startSession(tx, outbox, {
    personId,
    method,
    methods,
    authenticatedAt: now,
    userAgent,
    address,
    now,
  });
  return { kind: 'started', membership, session };
}

async function tokensOf(
  { keys, metrics }: SecondFactorParts,
  outcome: Outcome,
  now: Date,
): Promise<identity.SignedIn> {
  if (outcome.kind === 'started') {
    metrics.attempts.inc({ outcome: 'success' });
    metrics.tokens.inc({ type: 'access' });
    metrics.tokens.inc({ type: 'refresh' });
    return signedIn(keys, outcome.membership, outcome.session, now);
  }
  metrics.attempts.inc({ outcome: outcome.kind === 'throttled' ? 'throttled' : 'failure' });
  throw refusalOf(outcome);
}
