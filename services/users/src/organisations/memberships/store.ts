import type { organisations } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';

export interface MembershipState {
  readonly tenantId: string;
  readonly state: 'active' | 'suspended';
}

/** Where a person is a member; a global list, so it names no organisation. */
export function listMemberships(tx: Transaction, personId: string): Promise<MembershipState[]> {
  return tx.rows('select tenant_id as "tenantId", state from workplace where person_id = $1', [personId]);
}

/** Whether some organisation lets this person in, so that they can sign in. */
export async function isActiveSomewhere(tx: Transaction, personId: string): Promise<boolean> {
  return (await listMemberships(tx, personId)).some(({ state }) => state === 'active');
}

/** In the tenant of the transaction. */
export function getOrganisationHere(
  tx: TenantTransaction,
): Promise<Pick<organisations.OrganisationMembership, 'id' | 'name' | 'state'> | undefined> {
  return tx.first('select tenant_id as id, name, state from organisation where tenant_id = $1', [
    tx.tenantId,
  ]);
}

export async function isActiveHere(tx: TenantTransaction, personId: string): Promise<boolean> {
  const found = await tx.first(
    "select from member where tenant_id = $1 and person_id = $2 and state = 'active'",
    [tx.tenantId, personId],
  );
  return found !== undefined;
}
