import { newId, Unauthenticated } from '@marimo/contracts';
import { secondFactors } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import { type Caller, type Deps, handle, type Route, reply, requireFound } from '@marimo/service-kit';
import { getMembership } from '../../organisations/organisations/index.ts';
import { listTenantIds, lockAuthentication } from '../people/index.ts';
import { securityNoticeTo } from '../self-service/index.ts';
import { endSessionsOf, requireAccountControl } from '../sessions/index.ts';
import { takeChallenge } from './challenge-store.ts';
import { challengeHash, challengeIn } from './challenge-text.ts';
import { factOf, giveRecoveryCodes, toApiFactor } from './factor-routes.ts';
import type { SecondFactorParts } from './parts.ts';
import { insertPasskey, listPasskeys } from './passkey-store.ts';
import { creationOptions, type NewPasskey, readCreated } from './passkeys.ts';
import { countRecoveryCodes } from './recovery-code-store.ts';
import { askFor } from './second-step.ts';
import {
  deleteBegunFactors,
  type Factor,
  insertFactor,
  listFactors,
  lockFactors,
  updateAdded,
} from './store.ts';
import { newSecret, stepOf, toApiTotpSecret } from './totp.ts';
import { insertTotpSecret, listTotpSecrets, useStep } from './totp-store.ts';

/** Each makes guessing a code a little easier, and nobody has as many telephones. */
const most: Record<secondFactors.SecondFactorKind, number> = { totp: 5, passkey: 20 };
/** From the begin to the first code. */
export const confirmWithinMs = 15 * 60_000;

export function enrolmentRoutes(deps: Deps, parts: SecondFactorParts): readonly Route[] {
  return [...totpRoutes(deps, parts), ...passkeyRoutes(deps, parts)];
}

function totpRoutes({ outbox, clock }: Deps, { verification }: SecondFactorParts): readonly Route[] {
  const { keys } = verification;
  return [
    handle(secondFactors.enrolTotp, async (call) => {
      const { caller } = call;
      const personId = caller.userId;
      const now = clock();
      return call.inTenant(async (tx) => {
        await requireAccountControl(tx, caller);
        await requireRoom(tx, personId, 'totp');
        await deleteBegunFactors(tx, { personId });
        const membership = await getMembership(tx, personId, now);
        if (membership === undefined) throw new Unauthenticated({});
        const factorId = newId();
        const secret = newSecret();
        await insertFactor(tx, { factorId, personId, kind: 'totp', name: call.body.name }, now);
        await insertTotpSecret(tx, factorId, await keys.seal(tx, secret, factorId, now));
        return reply(201, { factorId, ...toApiTotpSecret(secret, membership.user.email) });
      });
    }),

    handle(secondFactors.confirmTotp, async (call) => {
      const { caller } = call;
      const personId = caller.userId;
      const { factorId } = call.params;
      const { code, endOtherSessions } = call.body;
      const now = clock();
      return call.withoutTenant(async (tx) => {
        await lockAuthentication(tx, personId);
        await requireAccountControl(tx, caller);
        const factors = await requireRoom(tx, personId, 'totp', factorId);
        // The answer was lost, or the button pressed twice.
        const added = factors.find((each) => each.factorId === factorId && each.kind === 'totp');
        if (added !== undefined) return reply(200, { factor: toApiFactor(added), recoveryCodes: null });
        const since = new Date(now.getTime() - confirmWithinMs);
        const [begun] = await listTotpSecrets(tx, personId, { factorId, since });
        const secret = begun && (await keys.open(tx, begun, factorId));
        const step = stepOf(code, requireFound(secret ?? undefined, 'second factor'), now);
        if (step === undefined) throw new secondFactors.ProofRefused({});
        // This code is spent too: who saw it being typed cannot sign in with it.
        await useStep(tx, factorId, step);
        return reply(200, await add(tx, outbox, { caller, factorId, endOtherSessions, now }));
      });
    }),
  ];
}

function passkeyRoutes({ outbox, clock }: Deps, { relyingParty }: SecondFactorParts): readonly Route[] {
  return [
    handle(secondFactors.offerPasskey, async (call) => {
      const { caller } = call;
      const { userId: personId, sessionId } = caller;
      const now = clock();
      return call.inTenant(async (tx) => {
        await requireAccountControl(tx, caller);
        await requireRoom(tx, personId, 'passkey');
        const membership = await getMembership(tx, personId, now);
        if (membership === undefined) throw new Unauthenticated({});
        const { email, name } = membership.user;
        const challenge = await askFor(tx, { purpose: 'add-passkey', personId, sessionId }, now);
        const known = await listPasskeys(tx, personId);
        return reply(200, creationOptions(relyingParty, challenge, { personId, email, name }, known));
      });
    }),

    handle(secondFactors.addPasskey, async (call) => {
      const { caller } = call;
      const { userId: personId, sessionId } = caller;
      const { name, passkey, endOtherSessions } = call.body;
      const now = clock();
      const challenge = challengeIn(passkey.response.clientDataJSON) ?? '';
      const created = await readCreated(relyingParty, passkey, challenge);
      const added = await call.withoutTenant(async (tx) => {
        await lockAuthentication(tx, personId);
        await requireAccountControl(tx, caller);
        // Taken in any case: what was signed for it wrongly is not tried again.
        const asked = { purpose: 'add-passkey', sessionId } as const;
        const isOurs = await takeChallenge(tx, challengeHash(challenge), asked, now);
        if (!isOurs || created === undefined) return undefined;
        return insertAdded(tx, outbox, { caller, name, created, endOtherSessions, now });
      });
      if (added === undefined) throw new secondFactors.PasskeyNotAdded({});
      return reply(201, added);
    }),
  ];
}

async function insertAdded(
  tx: Transaction,
  outbox: Outbox,
  {
    name,
    created,
    ...adding
  }: Omit<Adding, 'factorId'> & { readonly name: string; readonly created: NewPasskey },
): Promise<Added> {
  const { now } = adding;
  const { userId: personId } = adding.caller;
  await requireRoom(tx, personId, 'passkey');
  const factorId = newId();
  await insertFactor(tx, { factorId, personId, kind: 'passkey', name }, now);
  if (!(await insertPasskey(tx, factorId, created))) throw new secondFactors.PasskeyKnown({});
  return add(tx, outbox, { ...adding, factorId });
}

/** The factors there are; one more of this kind may be added until the transaction ends. */
async function requireRoom(
  tx: Transaction,
  personId: string,
  kind: secondFactors.SecondFactorKind,
  except?: string,
): Promise<Factor[]> {
  await lockFactors(tx, personId);
  const factors = await listFactors(tx, personId);
  const others = factors.filter((each) => each.kind === kind && each.factorId !== except);
  if (others.length >= most[kind]) throw new secondFactors.TooManySecondFactors({ most: most[kind] });
  return factors;
}

interface Added {
  readonly factor: secondFactors.SecondFactor;
  readonly recoveryCodes: string[] | null;
}

interface Adding {
  readonly caller: Caller;
  readonly factorId: string;
  readonly endOtherSessions: boolean;
  readonly now: Date;
}

/** In a transaction without a tenant, which is then in the caller's. From now on it counts; whoever has no recovery code gets them, so that a lost telephone locks nobody out. */
async function add(
  tx: Transaction,
  outbox: Outbox,
  { caller, factorId, endOtherSessions, now }: Adding,
): Promise<Added> {
  const { userId: personId, tenantId, sessionId: except } = caller;
  const factor = requireFound(await updateAdded(tx, factorId, now), 'second factor');
  await tx.inEachTenant(endOtherSessions ? await listTenantIds(tx, personId) : [], async (_, there) => {
    await endSessionsOf(there, outbox, { personId, reason: 'second-factors', except, now });
  });
  const linkId = await securityNoticeTo(await tx.enterTenant(tenantId), personId, now);
  await outbox.add(tx, secondFactors.added, personId, { ...factOf(personId, factor), linkId });
  const hasCodes = (await countRecoveryCodes(tx, personId)) > 0;
  const recoveryCodes = hasCodes ? null : await giveRecoveryCodes(tx, outbox, personId);
  return { factor: toApiFactor(factor), recoveryCodes };
}
