import { Unauthenticated } from '@marimo/contracts';
import { credentials, secondFactors } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply, type SignedInCall } from '@marimo/service-kit';
import {
  getMembership,
  lockOrganisationShared,
  type Membership,
} from '../../organisations/organisations/index.ts';
import { getPerson } from '../people/index.ts';
import {
  type AuthenticatedSession,
  createOwnThrottle,
  hasPersonalAuthentication,
  issueFor,
  lockLivingSession,
  type OwnAttempt,
  updateProof,
} from '../sessions/index.ts';
import { takeChallenge } from './challenge-store.ts';
import { challengeHash, challengeIn } from './challenge-text.ts';
import { methodsAfter, type Proof } from './methods.ts';
import type { SecondFactorParts } from './parts.ts';
import { requestOptions } from './passkeys.ts';
import { askFor } from './second-step.ts';
import { getSecondSteps, type VerificationResult, verifySecondFactor } from './verify-second-factor.ts';

type StepUpCall = Call<typeof secondFactors.stepUp>;
type Outcome =
  | { readonly kind: 'done'; readonly membership: Membership; readonly session: AuthenticatedSession }
  | Exclude<VerificationResult, { kind: 'right' }>;

interface Asking extends OwnAttempt {
  readonly now: Date;
}

export function stepUpRoutes(deps: Deps, parts: SecondFactorParts): readonly Route[] {
  const { clock } = deps;
  const throttle = createOwnThrottle(deps.cache);
  return [
    handle(secondFactors.stepUp, async (call) => {
      const asking = askingIn(call, clock());
      await throttle.begin(asking);
      const outcome = await stepUp(deps, parts, call, asking).catch(async (error: unknown) => {
        await throttle.undo(asking);
        throw error;
      });
      if (outcome.kind === 'throttled') {
        await throttle.undo(asking);
        throw new credentials.TooManyAttempts({}, { retryAfterSeconds: outcome.retryAfterSeconds });
      }
      if (outcome.kind === 'wrong') {
        parts.metrics.attempts.inc({ outcome: 'failure' });
        throw new secondFactors.ProofRefused({});
      }
      await throttle.succeeded(asking);
      parts.metrics.tokens.inc({ type: 'access' });
      const { token, expiresIn } = await issueFor(
        parts.keys,
        outcome.membership,
        outcome.session,
        asking.now,
      );
      return reply(200, { accessToken: token, expiresIn, tokenType: 'Bearer' });
    }),

    handle(secondFactors.challengeStepUp, async (call) => {
      const { personId, sessionId, now } = askingIn(call, clock());
      return call.inTenant(async (tx) => {
        const { passkeys } = await getSecondSteps(tx, personId);
        if (passkeys.length === 0) throw new secondFactors.SecondFactorMissing({});
        const challenge = await askFor(tx, { purpose: 'step-up', personId, sessionId }, now);
        return reply(200, requestOptions(parts.relyingParty, challenge, 'preferred', passkeys));
      });
    }),
  ];
}

async function stepUp(
  deps: Deps,
  parts: SecondFactorParts,
  call: StepUpCall,
  asking: Asking,
): Promise<Outcome> {
  const byPassword = call.body.password !== undefined && (await passwordProof(parts, call, asking));
  if (byPassword === undefined) return { kind: 'wrong' };
  return call.inTenant((tx) => prolong(deps, parts, tx, { call, asking, byPassword }));
}

function askingIn({ caller }: Pick<SignedInCall, 'caller'>, now: Date): Asking {
  const { userId: personId, sessionId } = caller;
  return { personId, sessionId, ownProof: hasPersonalAuthentication(caller), now };
}

/** Undefined when the password is wrong. Hashing takes long, so it is done before the transaction. */
async function passwordProof(
  { hasher }: SecondFactorParts,
  { body, signal, withoutTenant }: StepUpCall,
  { personId }: Asking,
): Promise<Proof | undefined> {
  const { person, steps } = await withoutTenant(async (tx) => ({
    person: await getPerson(tx, personId),
    steps: (await getSecondSteps(tx, personId)).steps,
  }));
  if (steps.some((step) => step !== 'recovery-code'))
    throw new secondFactors.SecondFactorNeeded({ factors: steps });
  const right = await hasher.matches(body.password ?? '', person?.passwordHash ?? undefined, signal);
  return right ? { method: 'pwd', verified: false } : undefined;
}

interface Prolonging {
  readonly call: StepUpCall;
  readonly asking: Asking;
  /** False where it was no password that came. */
  readonly byPassword: Proof | false;
}

async function prolong(
  deps: Deps,
  parts: SecondFactorParts,
  tx: TenantTransaction,
  { call, asking, byPassword }: Prolonging,
): Promise<Outcome> {
  const { personId, sessionId, now } = asking;
  await lockOrganisationShared(tx);
  const before = await lockLivingSession(tx, asking, now);
  const membership = await getMembership(tx, personId, now);
  // An API key, a session that ended a moment ago, a membership that did.
  if (before === undefined || membership === undefined) throw new Unauthenticated({});
  if (byPassword !== false && membership.hasSecondFactor) {
    throw new secondFactors.SecondFactorNeeded({ factors: (await getSecondSteps(tx, personId)).steps });
  }
  const result: VerificationResult = byPassword
    ? { kind: 'right', proof: byPassword }
    : await verifyPresented(parts, tx, call, asking);
  if (result.kind !== 'right') return result;

  const session = {
    sessionId,
    authenticatedAt: now,
    methods: methodsAfter(before.methods, result.proof),
    expiresAt: before.expiresAt,
  };
  await updateProof(tx, sessionId, session);
  const data = { sessionId, userId: personId, methods: session.methods };
  await deps.outbox.add(tx, secondFactors.identityProved, sessionId, data);
  return { kind: 'done', membership, session };
}

async function verifyPresented(
  { verification }: SecondFactorParts,
  tx: TenantTransaction,
  { body }: StepUpCall,
  { personId, sessionId, now }: Asking,
): Promise<VerificationResult> {
  const { password: _, ...presented } = body;
  const { passkey } = presented;
  const challenge = passkey === undefined ? '' : (challengeIn(passkey.response.clientDataJSON) ?? '');
  if (passkey !== undefined) {
    const asked = { purpose: 'step-up', sessionId } as const;
    if (!(await takeChallenge(tx, challengeHash(challenge), asked, now))) return { kind: 'wrong' };
  }
  return verifySecondFactor(verification, tx, { personId, presented, challenge, now });
}
