import type { Transaction } from '@marimo/postgres';

/** Whom a role is given to. */
export type HolderRef = { readonly personId: string } | { readonly accountId: string };

export function holderIdOf(holder: HolderRef): string {
  return 'personId' in holder ? holder.personId : holder.accountId;
}

/** Those of the names that are own roles of the organisation; none of them changes until the transaction ends. */
export async function lockOwnRoles(tx: Transaction, names: readonly string[]): Promise<string[]> {
  const rows = await tx.rows<{ name: string }>(
    `select name from own_role
      where tenant_id = $1 and name = any($2) and deleted_at is null
      order by name
        for share`,
    [tx.tenantId, names],
  );
  return rows.map(({ name }) => name);
}

export interface OwnGrants {
  readonly name: string;
  readonly grants: string[];
}

/** As they are now. */
export function listOwnRoleGrants(tx: Transaction, names: readonly string[]): Promise<OwnGrants[]> {
  return tx.rows(
    'select name, grants from own_role_grants where tenant_id = $1 and name = any($2) and until is null',
    [tx.tenantId, names],
  );
}

/** Until the transaction ends nobody else gives this holder anything; false when there is none such. */
export async function lockHolder(tx: Transaction, holder: HolderRef): Promise<boolean> {
  const row = await tx.first(
    'personId' in holder
      ? 'select from member where tenant_id = $1 and person_id = $2 for update'
      : 'select from service_account where tenant_id = $1 and account_id = $2 for update',
    [tx.tenantId, holderIdOf(holder)],
  );
  return row !== undefined;
}

export interface HeldSpan {
  readonly role: string;
  readonly from: Date;
  readonly until: Date | null;
}

/** What a holder has now and will have. A statement of its own after the lock, so that it sees what we waited for. */
export function listSpans(tx: Transaction, holder: HolderRef, now: Date): Promise<HeldSpan[]> {
  const column = 'personId' in holder ? 'person_id' : 'account_id';
  return tx.rows(
    `select role, valid_from as "from", valid_until as "until"
       from role_assignment
      where tenant_id = $1 and ${column} = $2 and revoked_at is null and (valid_until is null or valid_until > $3)`,
    [tx.tenantId, holderIdOf(holder), now],
  );
}

export async function isStrict(tx: Transaction): Promise<boolean> {
  const row = await tx.first<{ strict: boolean }>(
    'select strict_separation as strict from organisation where tenant_id = $1',
    [tx.tenantId],
  );
  return row?.strict ?? false;
}
