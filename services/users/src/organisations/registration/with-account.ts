import { newId } from '@marimo/contracts';
import { type accessTokens, credentials, founding } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { lockCredentials, type Person } from '../../identity/people/index.ts';
import {
  type RegisteringStep,
  registeringStep,
  type SecondFactorParts,
} from '../../identity/second-factors/index.ts';
import {
  actingAs,
  passwordProof,
  type SessionParts,
  type StartedSession,
  signedIn,
  startSession,
} from '../../identity/sessions/index.ts';
import { isActiveSomewhere } from '../memberships/index.ts';
import { getMembership, type Membership } from '../organisations/index.ts';
import { found } from './founding.ts';

export type RegistrationParts = SessionParts & Pick<SecondFactorParts, 'verification'>;

interface Registered {
  readonly kind: 'registered';
  readonly membership: Membership;
  readonly session: StartedSession;
}
type Outcome = Registered | Exclude<RegisteringStep, { kind: 'proven' }>;

interface Registering {
  readonly call: Call<typeof founding.registerWithAccount>;
  /** Whose password was right. */
  readonly person: Person;
  readonly now: Date;
}

/**
 * Somebody who has an account and works nowhere registers an organisation: they cannot sign in, because a session belongs
 * to an organisation. They prove who they are as at a sign-in, with the second factor too if they have one.
 */
export function withAccountRoute(deps: Deps, parts: RegistrationParts): Route {
  const prove = passwordProof(deps, parts);
  return handle(founding.registerWithAccount, async (call) => {
    const person = await prove(call.body, call);
    const now = deps.clock();
    const outcome = await call.withoutTenant((tx) => register(tx, deps, parts, { call, person, now }));
    if (outcome.kind === 'refused') {
      parts.metrics.attempts.inc({ outcome: 'failure' });
      throw outcome.refusal;
    }
    if (outcome.kind === 'asked') {
      parts.metrics.attempts.inc({ outcome: 'second-factor-asked' });
      return reply(202, outcome.asked);
    }
    parts.metrics.tokens.inc({ type: 'access' });
    parts.metrics.tokens.inc({ type: 'refresh' });
    return reply(201, await signedIn(parts.keys, outcome.membership, outcome.session, now));
  });
}

async function register(
  tx: Transaction,
  deps: Deps,
  parts: RegistrationParts,
  registering: Registering,
): Promise<Outcome> {
  const { person, call, now } = registering;
  const { personId, passwordHash, lastTenantId } = person;
  if (await isActiveSomewhere(tx, personId)) throw new founding.SignInToFound({});
  const first = { personId, methods: ['pwd' as const], passwordHash, now };
  let step: RegisteringStep | undefined;
  await tx.inEachTenant([lastTenantId], (_, there) =>
    actingAs(lastTenantId, personId, async () => {
      step = await registeringStep(there, parts, { ...first, answer: call.body.secondFactor });
    }),
  );
  if (step === undefined) throw new Error('A tenant was not entered');
  return step.kind === 'proven' ? make(tx, deps, registering, step.methods) : step;
}

/** Organisation, membership, session and their events; of several requests at once, one makes them. */
async function make(
  tx: Transaction,
  { outbox }: Deps,
  { person, call, now }: Registering,
  methods: readonly accessTokens.AuthenticationMethod[],
): Promise<Registered> {
  const { personId, passwordHash } = person;
  const founder = await lockCredentials(tx, personId);
  // It may have been changed since it was looked at, and whoever knew the old one must not come in.
  if (founder === undefined || founder.passwordHash !== passwordHash)
    throw new credentials.WrongCredentials({});
  if (await isActiveSomewhere(tx, personId)) throw new founding.SignInToFound({});
  const tenantId = newId();
  const here = await tx.enterTenant(tenantId);
  return actingAs(tenantId, personId, async () => {
    await found(here, outbox, { wanted: call.body, founder, now });
    const { userAgent, address } = call;
    const start = { personId, method: 'registration', methods, authenticatedAt: now } as const;
    const session = await startSession(here, outbox, { ...start, userAgent, address, now });
    const membership = await getMembership(here, personId, now);
    if (membership === undefined) throw new Error('Who has just founded an organisation is no member of it');
    return { kind: 'registered', membership, session };
  });
}
