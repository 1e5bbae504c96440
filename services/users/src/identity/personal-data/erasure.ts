import { members, personalData } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import type { Deps } from '@marimo/service-kit';
import { eraseKeysOf } from '../../access/service-accounts/index.ts';
import { endMembership, getMember } from '../../organisations/members/index.ts';
import { lockOrganisation } from '../../organisations/organisations/index.ts';
import { deleteMailOf, insertNotice, type Recipient } from '../mail-links/index.ts';
import { forgetSecondFactors } from '../second-factors/index.ts';
import { endSessionsOf } from '../sessions/index.ts';
import {
  eraseAccount,
  eraseHere,
  isErasedHere,
  listOtherTenantsKnowing,
  listTenantsKnowing,
} from './store.ts';

/** Longer than any usual trouble with the mail; then the address goes too, whether the last mail was written or not. */
const farewellLastsMs = 60 * 60_000;

export interface Leaving extends Recipient {
  readonly personId: string;
}

type Erasing = Pick<Deps, 'outbox' | 'clock'>;

/**
 * Somebody goes for good: leaves every organisation and is nowhere named any more. `tenantId` is where they are now: in
 * its name the last mail is written. In a transaction without a tenant.
 *
 * Errors: LastAdministrator, and then nothing is erased anywhere.
 */
export async function eraseEverywhere(
  tx: Transaction,
  deps: Erasing,
  person: Leaving,
  tenantId: string,
): Promise<void> {
  const { personId } = person;
  const tenants = await listTenantsKnowing(tx, person);
  await deleteMailOf(tx, person);
  const linkId = await farewellTo(tx, person, tenantId, deps.clock());
  await tx.inEachTenant(tenants, async (here, inside) => {
    await lockOrganisation(inside);
    const now = deps.clock();
    await endSessionsOf(inside, deps.outbox, { personId, reason: 'erasure', now });
    await leave(inside, deps, await getMember(inside, personId, now), now);
    await eraseIn(inside, deps, person, { linkId, farewell: here === tenantId }, now);
  });
  await erasePerson(tx, personId);
}

/** The account: what proves who somebody is, and what they are called. */
async function erasePerson(tx: Transaction, personId: string): Promise<void> {
  await forgetSecondFactors(tx, personId);
  await eraseAccount(tx, personId);
}

async function leave(
  tx: TenantTransaction,
  { outbox }: Erasing,
  member: members.Member | undefined,
  now: Date,
): Promise<void> {
  if (member === undefined || member.state === 'left') return;
  const { id, roles } = member;
  await endMembership(tx, outbox, member, { by: id, now });
  await outbox.add(tx, members.left, id, { userId: id, roles: [...roles] });
}

/**
 * Whether another organisation knew this person and has not erased them. In a transaction without a tenant, which it has
 * none of again.
 */
export async function isKeptElsewhere(tx: Transaction, personId: string, tenantId: string): Promise<boolean> {
  let kept = false;
  await tx.inEachTenant(await listOtherTenantsKnowing(tx, personId, tenantId), async (_, here) => {
    kept ||= !(await isErasedHere(here, personId));
  });
  return kept;
}

/**
 * What the organisation of the transaction keeps of somebody who has left it, and the person as well where no other
 * organisation keeps anything of them. Again changes nothing.
 */
export async function eraseFormerMember(
  tx: TenantTransaction,
  deps: Erasing,
  person: Leaving,
  isKept: boolean,
): Promise<void> {
  const { personId } = person;
  if (await isErasedHere(tx, personId)) return;
  const { tenantId } = tx;
  const now = deps.clock();
  // What another organisation keeps, and the account a person works there with, is not this one's to erase.
  await deleteMailOf(tx, person, isKept ? tenantId : undefined);
  const linkId = await farewellTo(tx, person, tenantId, now);
  await eraseIn(tx, deps, person, { linkId, farewell: !isKept }, now);
  if (!isKept) await erasePerson(tx, personId);
}

async function eraseIn(
  tx: TenantTransaction,
  { outbox }: Erasing,
  person: Leaving,
  told: { readonly linkId: string; readonly farewell: boolean },
  now: Date,
): Promise<void> {
  const { personId } = person;
  await eraseKeysOf(tx, outbox, personId, now);
  await eraseHere(tx, person, now);
  await outbox.add(tx, personalData.erased, personId, { userId: personId, ...told });
}

/**
 * For an hour the address stays in one place, beside no person's id: whoever keeps it asks for it there, to remove it.
 */
async function farewellTo(tx: Transaction, person: Leaving, tenantId: string, now: Date): Promise<string> {
  const { email, name, language } = person;
  const expiresAt = new Date(now.getTime() + farewellLastsMs);
  return insertNotice(tx, { email, name, language, tenantId, personId: null, expiresAt, now });
}
