import { Unauthenticated } from '@marimo/contracts';
import { credentials, secondFactors } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply, type SignedInCall } from '@marimo/service-kit';
import {
  findMembership,
  findPerson,
  holdOrganisation,
  type Membership,
} from '../../organisations/organisations/index.ts';
import {
  createOwnThrottle,
  hasOwnProof,
  issueFor,
  keepProof,
  lockLivingSession,
  type OwnAttempt,
  type ProvenIn,
} from '../sessions/index.ts';
import { takeChallenge } from './challenge-store.ts';
import { challengeHash, challengeIn } from './challenge-text.ts';
import { methodsAfter, type Proof } from './methods.ts';
import type { SecondFactorParts } from './parts.ts';
import { requestOptions } from './passkeys.ts';
import { type Proven, prove, stepsOf } from './proving.ts';
import { askFor } from './second-step.ts';

type StepUpCall = Call<typeof secondFactors.stepUp>;
type Outcome =
  | { readonly kind: 'done'; readonly membership: Membership; readonly session: ProvenIn }
  | Exclude<Proven, { kind: 'right' }>;

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
      const outcome = await proveAnew(deps, parts, call, asking).catch(async (error: unknown) => {
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
        const { passkeys } = await stepsOf(tx, personId);
        if (passkeys.length === 0) throw new secondFactors.SecondFactorMissing({});
        const challenge = await askFor(tx, { purpose: 'step-up', personId, sessionId }, now);
        return reply(200, requestOptions(parts.relyingParty, challenge, 'preferred', passkeys));
      });
    }),
  ];
}

async function proveAnew(
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
  return { personId, sessionId, ownProof: hasOwnProof(caller), now };
}

/** Undefined when the password is wrong. Hashing takes long, so it is done before the transaction. */
async function passwordProof(
  { hasher }: SecondFactorParts,
  { body, signal, withoutTenant }: StepUpCall,
  { personId }: Asking,
): Promise<Proof | undefined> {
  const { person, steps } = await withoutTenant(async (tx) => ({
    person: await findPerson(tx, personId),
    steps: (await stepsOf(tx, personId)).steps,
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
  await holdOrganisation(tx);
  const before = await lockLivingSession(tx, asking, now);
  const membership = await findMembership(tx, personId, now);
  // An API key, a session that ended a moment ago, a membership that did.
  if (before === undefined || membership === undefined) throw new Unauthenticated({});
  if (byPassword !== false && membership.hasSecondFactor) {
    throw new secondFactors.SecondFactorNeeded({ factors: (await stepsOf(tx, personId)).steps });
  }
  const proven: Proven = byPassword
    ? { kind: 'right', proof: byPassword }
    : await proveSecondFactor(parts, tx, call, asking);
  if (proven.kind !== 'right') return proven;

  const session = {
    sessionId,
    authenticatedAt: now,
    methods: methodsAfter(before.methods, proven.proof),
    expiresAt: before.expiresAt,
  };
  await keepProof(tx, sessionId, session);
  const data = { sessionId, userId: personId, methods: session.methods };
  await deps.outbox.add(tx, secondFactors.identityProved, sessionId, data);
  return { kind: 'done', membership, session };
}

async function proveSecondFactor(
  { proving }: SecondFactorParts,
  tx: TenantTransaction,
  { body }: StepUpCall,
  { personId, sessionId, now }: Asking,
): Promise<Proven> {
  const { password: _, ...presented } = body;
  const { passkey } = presented;
  const challenge = passkey === undefined ? '' : (challengeIn(passkey.response.clientDataJSON) ?? '');
  if (passkey !== undefined) {
    const asked = { purpose: 'step-up', sessionId } as const;
    if (!(await takeChallenge(tx, challengeHash(challenge), asked, now))) return { kind: 'wrong' };
  }
  return prove(proving, tx, { personId, presented, challenge, now });
}
