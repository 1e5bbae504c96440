import type { identity, people } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import { emailKey } from './email-key.ts';

/** Somebody who may sign in, with what that takes. */
export interface Person {
  readonly personId: string;
  /** Null for who signs in elsewhere. */
  readonly passwordHash: string | null;
  readonly lastTenantId: string;
}

export interface NewPerson extends identity.User {
  readonly passwordHash: string | null;
  readonly tenantId: string;
}

export function getPersonByEmail(tx: Transaction, email: string): Promise<Person | undefined> {
  return tx.first(
    `select person_id as "personId", password_hash as "passwordHash", last_tenant_id as "lastTenantId"
       from person
      where email_key = $1`,
    [emailKey(email)],
    'person_by_email',
  );
}

export function getPerson(tx: Transaction, personId: string): Promise<Person | undefined> {
  return tx.first(
    `select person_id as "personId", password_hash as "passwordHash", last_tenant_id as "lastTenantId"
       from person
      where person_id = $1`,
    [personId],
    'person_by_id',
  );
}

/** False when the e-mail is somebody's already, also if they came a moment before. */
export async function insertPerson(tx: Transaction, person: NewPerson, now: Date): Promise<boolean> {
  const { id, email, emailVerified, name, language, timeZone, passwordHash, tenantId } = person;
  const inserted = await tx.run(
    `insert into person
       (person_id, email, email_key, email_verified_at, name, language, time_zone, password_hash, last_tenant_id,
        last_seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (email_key) do nothing`,
    [
      id,
      email.normalize('NFC'),
      emailKey(email),
      emailVerified ? now : null,
      name,
      language,
      timeZone,
      passwordHash,
      tenantId,
      now,
    ],
  );
  return inserted === 1;
}

/**
 * Nobody changes what this person proves themselves with until the end of the transaction, so that no session begins
 * beside a change that ends them all. Before anything else of the person is locked, and before it is read what holds.
 */
export async function lockAuthentication(tx: Transaction, personId: string): Promise<void> {
  await tx.run('select from person where person_id = $1 for no key update', [personId], 'hold_person');
}

/** A person as far as they manage themselves. */
export interface LoginCredentials {
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

export function getCredentials(tx: Transaction, personId: string): Promise<LoginCredentials | undefined> {
  return tx.first(`select ${accountColumns} from person where person_id = $1`, [personId], 'account');
}

/** Theirs until the end of the transaction: nobody is erased, or takes another address, meanwhile. */
export function getCredentialsByEmail(tx: Transaction, email: string): Promise<LoginCredentials | undefined> {
  return tx.first(
    `select ${accountColumns} from person where email_key = $1 for key share`,
    [emailKey(email)],
    'account_by_email',
  );
}

/** Ours alone until the end of the transaction. */
export function lockCredentials(tx: Transaction, personId: string): Promise<LoginCredentials | undefined> {
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

export async function updatePassword(tx: Transaction, personId: string, passwordHash: string): Promise<void> {
  await tx.run('update person set password_hash = $2, version = version + 1 where person_id = $1', [
    personId,
    passwordHash,
  ]);
}

/** Their mailbox is proved to be theirs; the first proof counts. */
export async function updateEmailVerified(tx: Transaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `update person set email_verified_at = $2, version = version + 1
      where person_id = $1 and email_verified_at is null`,
    [personId, now],
  );
}

/** Violates `person_email_key_key` when it is somebody else's by now. */
export async function updateEmail(
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
export async function listTenantIds(tx: Transaction, personId: string): Promise<string[]> {
  const rows = await tx.rows<{ tenantId: string }>(
    'select tenant_id as "tenantId" from workplace where person_id = $1 order by tenant_id',
    [personId],
    'tenants_of_person',
  );
  return rows.map(({ tenantId }) => tenantId);
}

/** To the minute, so that a busy person is not a busy row. */
export async function updatePresence(tx: Transaction, personId: string, now: Date): Promise<void> {
  await tx.run(
    `update person
        set last_tenant_id = $2, last_seen_at = $3
      where person_id = $1 and (last_seen_at < $3::timestamptz - interval '1 minute' or last_tenant_id <> $2)`,
    [personId, tx.tenantId, now],
    'note_presence',
  );
}

/** In all organisations: those who signed in or refreshed since. */
export async function countSeenSince(tx: Transaction, since: Date): Promise<number> {
  const row = await tx.first<{ people: number }>(
    'select count(*)::int as people from person where last_seen_at >= $1',
    [since],
  );
  return row?.people ?? 0;
}
