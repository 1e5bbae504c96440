import type { identity, people } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import { emailKey } from '../../organisations/organisations/index.ts';

/** A person as far as they manage themselves. */
export interface Account {
  readonly personId: string;
  readonly name: string;
  readonly email: string;
  readonly emailVerifiedAt: Date | null;
  readonly language: identity.Language;
  readonly timeZone: string;
  /** Null for who signs in elsewhere. */
  readonly passwordHash: string | null;
  readonly lastTenantId: string;
}

const accountColumns = `person_id as "personId", name, email, email_verified_at as "emailVerifiedAt", language,
  time_zone as "timeZone", password_hash as "passwordHash", last_tenant_id as "lastTenantId"`;

export function findAccount(tx: Transaction, personId: string): Promise<Account | undefined> {
  return tx.first(`select ${accountColumns} from person where person_id = $1`, [personId], 'account');
}

/** Theirs until the end of the transaction: nobody is erased, or takes another address, meanwhile. */
export function findAccountByEmail(tx: Transaction, email: string): Promise<Account | undefined> {
  return tx.first(
    `select ${accountColumns} from person where email_key = $1 for key share`,
    [emailKey(email)],
    'account_by_email',
  );
}

/** Ours alone until the end of the transaction. */
export function lockAccount(tx: Transaction, personId: string): Promise<Account | undefined> {
  return tx.first(
    `select ${accountColumns} from person where person_id = $1 for update`,
    [personId],
    'lock_account',
  );
}

export async function updateProfile(
  tx: Transaction,
  personId: string,
  { name, language, timeZone }: Required<people.ChangeMe>,
): Promise<void> {
  await tx.run(
    'update person set name = $2, language = $3, time_zone = $4, version = version + 1 where person_id = $1',
    [personId, name, language, timeZone],
  );
}

export async function setPassword(tx: Transaction, personId: string, passwordHash: string): Promise<void> {
  await tx.run('update person set password_hash = $2, version = version + 1 where person_id = $1', [
    personId,
    passwordHash,
  ]);
}

/** Their mailbox is proved to be theirs; the first proof counts. */
export async function markEmailVerified(tx: Transaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `update person set email_verified_at = $2, version = version + 1
      where person_id = $1 and email_verified_at is null`,
    [personId, now],
  );
}

/** Violates `person_email_key_key` when it is somebody else's by now. */
export async function replaceEmail(
  tx: Transaction,
  personId: string,
  email: string,
  now: Date,
): Promise<void> {
  await tx.run(
    `update person set email = $2, email_key = $3, email_verified_at = $4, version = version + 1
      where person_id = $1`,
    [personId, email.normalize('NFC'), emailKey(email), now],
  );
}

/** The organisations a person belongs to. */
export async function tenantsOf(tx: Transaction, personId: string): Promise<string[]> {
  const rows = await tx.rows<{ tenantId: string }>(
    'select tenant_id as "tenantId" from workplace where person_id = $1 order by tenant_id',
    [personId],
    'tenants_of_person',
  );
  return rows.map(({ tenantId }) => tenantId);
}

/** Of the transaction's tenant; passwords made of it are easy to guess. */
export async function nameOfOrganisation(tx: TenantTransaction): Promise<string> {
  const row = await tx.first<{ name: string }>('select name from organisation where tenant_id = $1', [
    tx.tenantId,
  ]);
  return row?.name ?? '';
}
