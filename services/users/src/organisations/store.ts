import type { Language, Organisation, User } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';

/** Somebody who may sign in, with what that takes. */
export interface Person {
  readonly personId: string;
  readonly passwordHash: string;
  readonly lastTenantId: string;
}

export interface NewPerson extends User {
  readonly passwordHash: string;
  readonly tenantId: string;
}

/** What a person is in one organisation. */
export interface Membership {
  readonly user: User;
  readonly organisation: Organisation;
  readonly roles: readonly string[];
  readonly rolesVersion: number;
}

/** The same for every way of writing one mailbox: NFC and lower case. */
export function emailKey(email: string): string {
  return email.normalize('NFC').toLowerCase();
}

export function findPersonByEmail(tx: Transaction, email: string): Promise<Person | undefined> {
  return tx.first(
    `select person_id as "personId", password_hash as "passwordHash", last_tenant_id as "lastTenantId"
       from person
      where email_key = $1`,
    [emailKey(email)],
    'person_by_email',
  );
}

export function findPerson(tx: Transaction, personId: string): Promise<Person | undefined> {
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
  const { id, email, name, language, passwordHash, tenantId } = person;
  const inserted = await tx.run(
    `insert into person
       (person_id, email, email_key, name, language, password_hash, last_tenant_id, last_seen_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (email_key) do nothing`,
    [id, email.normalize('NFC'), emailKey(email), name, language, passwordHash, tenantId, now],
  );
  return inserted === 1;
}

export async function insertOrganisation(
  tx: Transaction,
  organisation: Organisation,
  now: Date,
): Promise<void> {
  const { id, name, baseCurrency, language } = organisation;
  await tx.run(
    `insert into organisation (tenant_id, name, base_currency, language, registered_at)
     values ($1, $2, $3, $4, $5)`,
    [id, name, baseCurrency, language, now],
  );
}

export async function insertMember(
  tx: Transaction,
  personId: string,
  roles: readonly string[],
  now: Date,
): Promise<void> {
  await tx.run('insert into member (tenant_id, person_id, roles, joined_at) values ($1, $2, $3, $4)', [
    tx.tenantId,
    personId,
    roles,
    now,
  ]);
}

interface MembershipRow {
  readonly personName: string;
  readonly email: string;
  readonly personLanguage: Language;
  readonly organisationName: string;
  readonly baseCurrency: string;
  readonly organisationLanguage: Language;
  readonly roles: string[];
  readonly rolesVersion: number;
}

/** In the organisation of the transaction; undefined for who is no member of it. */
export async function findMembership(tx: Transaction, personId: string): Promise<Membership | undefined> {
  const row = await tx.first<MembershipRow>(
    `select p.name as "personName", p.email, p.language as "personLanguage",
            o.name as "organisationName", o.base_currency as "baseCurrency",
            o.language as "organisationLanguage", m.roles, m.roles_version as "rolesVersion"
       from member m
       join organisation o on o.tenant_id = m.tenant_id
       join person p on p.person_id = m.person_id
      where m.tenant_id = $1 and m.person_id = $2`,
    [tx.tenantId, personId],
    'membership',
  );
  if (row === undefined || tx.tenantId === null) return undefined;
  const { roles, rolesVersion, baseCurrency } = row;
  return {
    user: { id: personId, name: row.personName, email: row.email, language: row.personLanguage },
    organisation: {
      id: tx.tenantId,
      name: row.organisationName,
      baseCurrency,
      language: row.organisationLanguage,
    },
    roles,
    rolesVersion,
  };
}

export function findOrganisation(tx: Transaction): Promise<Organisation | undefined> {
  return tx.first(
    `select tenant_id as id, name, base_currency as "baseCurrency", language
       from organisation
      where tenant_id = $1`,
    [tx.tenantId],
    'organisation',
  );
}

/** To the minute, so that a busy person is not a busy row. */
export async function notePresence(tx: Transaction, personId: string, now: Date): Promise<void> {
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
