import { IdempotencyKeyReused, newId } from '@marimo/contracts';
import { type accessTokens, credentials, sessions } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { requireStrongPassword } from '../../identity/passwords/index.ts';
import { getPerson, getPersonByEmail, insertPerson } from '../../identity/people/index.ts';
import { askToVerify } from '../../identity/self-service/index.ts';
import {
  actingAs,
  type SessionParts,
  type StartedSession,
  signedIn,
  startSession,
} from '../../identity/sessions/index.ts';
import { getMembership, lockOrganisationShared, type Membership } from '../organisations/index.ts';
import { foundRoute, makeOrganisation } from './founding.ts';
import { digestOf, hashOfKey, repeatableForMs } from './registration.ts';
import { getRegistration, insertRegistration } from './store.ts';
import { type RegistrationParts, withAccountRoute } from './with-account.ts';

interface Registered {
  readonly membership: Membership;
  readonly session: StartedSession;
}

interface Registering {
  readonly deps: Deps;
  readonly parts: SessionParts;
  readonly call: Call<typeof sessions.register>;
  readonly now: Date;
}

export function registrationRoutes(deps: Deps, parts: RegistrationParts): readonly Route[] {
  return [
    handle(sessions.register, async (call) => {
      requireStrongPassword(call.body.password, call.body);
      const now = deps.clock();
      const registering = { deps, parts, call, now };
      const { membership, session } = (await repeated(registering)) ?? (await registerAnew(registering));
      parts.metrics.tokens.inc({ type: 'access' });
      parts.metrics.tokens.inc({ type: 'refresh' });
      return reply(201, await signedIn(parts.keys, membership, session, now));
    }),
    withAccountRoute(deps, parts),
    foundRoute(deps, parts),
  ];
}

async function registerAnew(registering: Registering): Promise<Registered> {
  const { parts, call } = registering;
  const { email, password } = call.body;
  const taken = await call.withoutTenant((tx) => getPersonByEmail(tx, email));
  if (taken !== undefined) return firstOf(registering); // known before the slow hash
  const passwordHash = await parts.hasher.hash(password, call.signal);

  const tenantId = newId();
  const personId = newId();
  const registered = await actingAs(tenantId, personId, () =>
    call.withoutTenant((tx) => create(tx, registering, { tenantId, personId, passwordHash })),
  );
  return registered ?? firstOf(registering);
}

/** Somebody with this e-mail came first; perhaps the same request, sent twice at once. */
async function firstOf(registering: Registering): Promise<Registered> {
  const again = await repeated(registering);
  if (again === undefined) throw new credentials.EmailTaken({});
  return again;
}

/** Organisation, administrator, session and their events in one transaction; undefined when the e-mail is taken. */
async function create(
  tx: Transaction,
  { deps, call, now }: Registering,
  { tenantId, personId, passwordHash }: { tenantId: string; personId: string; passwordHash: string },
): Promise<Registered | undefined> {
  const { body, idempotencyKey } = call;
  const { name, email, language, timeZone, baseCurrency } = body;
  const user = {
    id: personId,
    name,
    email: email.normalize('NFC'),
    emailVerified: false,
    language,
    timeZone,
  };
  const state = 'active' as const;
  const organisation = { id: tenantId, name: body.organisation, baseCurrency, language, timeZone, state };

  if (!(await insertPerson(tx, { ...user, passwordHash, tenantId }, now))) return undefined;
  if (idempotencyKey !== undefined) {
    const kept = await insertRegistration(
      tx,
      {
        keyHash: hashOfKey(idempotencyKey),
        requestDigest: digestOf(body),
        personId,
        tenantId,
        registeredAt: now,
      },
      new Date(now.getTime() - repeatableForMs),
    );
    if (!kept) throw new IdempotencyKeyReused({});
  }
  const here = await tx.enterTenant(tenantId);
  await makeOrganisation(here, deps.outbox, { organisation, admin: user }, now);
  await askToVerify(here, deps.outbox, { personId, ...user }, now);
  const session = await startSession(here, deps.outbox, {
    personId,
    method: 'registration',
    ...provenBy(call, now),
  });
  const rights = { roles: ['admin'], grants: [], rolesVersion: 1, rightsChangeAt: null };
  const proof = { requireSecondFactor: false, hasSecondFactor: false };
  return { membership: { user, organisation, ...rights, ...proof }, session };
}

/** The same request with the same key signs in again; undefined when the key is new. */
async function repeated({ deps, parts, call, now }: Registering): Promise<Registered | undefined> {
  const { idempotencyKey, body } = call;
  if (idempotencyKey === undefined) return undefined;
  const since = new Date(now.getTime() - repeatableForMs);
  const known = await call.withoutTenant(async (tx) => {
    const kept = await getRegistration(tx, hashOfKey(idempotencyKey), since);
    return kept && { kept, person: await getPerson(tx, kept.personId) };
  });
  if (known === undefined) return undefined;

  const { kept, person } = known;
  const same = kept.requestDigest.equals(digestOf(body));
  if (!same || !(await parts.hasher.matches(body.password, person?.passwordHash ?? undefined, call.signal))) {
    throw new IdempotencyKeyReused({});
  }
  const { tenantId, personId } = kept;
  return actingAs(tenantId, personId, () =>
    call.inTenantOf(tenantId, async (tx) => {
      await lockOrganisationShared(tx);
      const membership = await getMembership(tx, personId, now);
      if (membership === undefined) throw new IdempotencyKeyReused({});
      // A second factor was added since: a repetition must not be a way around it.
      if (membership.hasSecondFactor) throw new credentials.EmailTaken({});
      const session = await startSession(tx, deps.outbox, {
        personId,
        method: 'password',
        ...provenBy(call, now),
      });
      return { membership, session };
    }),
  );
}

function provenBy({ userAgent, address }: Call<typeof sessions.register>, now: Date) {
  const methods: readonly accessTokens.AuthenticationMethod[] = ['pwd'];
  return { methods, authenticatedAt: now, userAgent, address, now };
}
