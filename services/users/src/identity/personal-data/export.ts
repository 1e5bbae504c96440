import type { personalData } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { keysOfPerson } from '../../access/service-accounts/index.ts';
import {
  getAccountData,
  getMembershipSummary,
  type Known,
  listInvitations,
  listLinkedAccounts,
  listMail,
  listPeriods,
  listRoles,
  listSecondFactors,
  listSessions,
  listTenantsKnowing,
} from './store.ts';

interface Named extends Known {
  readonly name: string;
}

/** All there is of a person, in every organisation; in a transaction without a tenant, which it has none of again. */
export async function allOf(
  tx: Transaction,
  person: Named,
  kept: personalData.PersonalData['kept'],
  now: Date,
): Promise<personalData.PersonalData> {
  const { personId, name, email } = person;
  const memberships: personalData.PersonalData['memberships'] = [];
  const invitations: personalData.PersonalData['invitations'] = [];
  await tx.inEachTenant(await listTenantsKnowing(tx, person), async (_, here) => {
    const membership = await membershipOf(here, personId);
    if (membership !== undefined) memberships.push(membership);
    invitations.push(...(await listInvitations(here, email, now)));
  });
  const details = (await getAccountData(tx, personId)) ?? null;
  return {
    scope: 'person',
    person: { id: personId, name, email, account: details },
    memberships,
    invitations,
    secondFactors: await listSecondFactors(tx, personId),
    mail: await listMail(tx, person, null),
    kept,
  };
}

/** What the organisation of the transaction keeps of one member. The account itself is not the organisation's. */
export async function partOf(
  tx: TenantTransaction,
  person: Named,
  { email }: { readonly email: string | null },
  kept: personalData.PersonalData['kept'],
  now: Date,
): Promise<personalData.PersonalData> {
  const { personId, name } = person;
  const membership = await membershipOf(tx, personId);
  return {
    scope: 'organisation',
    person: { id: personId, name, email, account: null },
    memberships: membership === undefined ? [] : [membership],
    invitations: email === null ? [] : await listInvitations(tx, email, now),
    secondFactors: [],
    mail: email === null ? [] : await listMail(tx, person, tx.tenantId),
    kept,
  };
}

async function membershipOf(
  tx: TenantTransaction,
  personId: string,
): Promise<personalData.PersonalData['memberships'][number] | undefined> {
  const held = await getMembershipSummary(tx, personId);
  if (held === undefined) return undefined;
  const keys = await keysOfPerson(tx, personId);
  return {
    ...held,
    periods: await listPeriods(tx, personId),
    roles: await listRoles(tx, personId),
    sessions: await listSessions(tx, personId),
    apiKeys: keys.toReversed(), // oldest first, as everything here
    linkedAccounts: await listLinkedAccounts(tx, personId),
  };
}
