import { newId } from '@marimo/contracts';
import type { identity } from '@marimo/contracts/users';
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

/** What a person is in one organisation. */
export interface Membership {
  readonly user: identity.User;
  readonly organisation: identity.Organisation;
  /** Those in force now; built-in and own. */
  readonly roles: readonly string[];
  /** What the own ones among them grant. */
  readonly grants: readonly string[];
  readonly rolesVersion: number;
  /** When an assignment begins or ends next: no token may outlive it. */
  readonly rightsChangeAt: Date | null;
  /** What the organisation demands, and whether the person has one. */
  readonly requireSecondFactor: boolean;
  readonly hasSecondFactor: boolean;
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

export async function insertOrganisation(
  tx: Transaction,
  organisation: identity.Organisation,
  now: Date,
): Promise<void> {
  const { id, name, baseCurrency, language, timeZone } = organisation;
  await tx.run(
    `insert into organisation (tenant_id, name, base_currency, language, time_zone, registered_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [id, name, baseCurrency, language, timeZone, now],
  );
}

export interface GivenRoles {
  readonly roles: readonly string[];
  /** Empty for the first administrator. */
  readonly grantedBy: string | null;
  /** Null, or nothing, for roles without an end. */
  readonly validUntil?: Date | null;
}

/** A new member, with roles in force from now on. */
export async function insertMember(
  tx: Transaction,
  personId: string,
  given: GivenRoles,
  now: Date,
): Promise<void> {
  const { tenantId } = tx;
  await tx.run('insert into member (tenant_id, person_id, joined_at) values ($1, $2, $3)', [
    tenantId,
    personId,
    now,
  ]);
  await tx.run('insert into member_period (tenant_id, person_id, began_at) values ($1, $2, $3)', [
    tenantId,
    personId,
    now,
  ]);
  await tx.run('insert into workplace (person_id, tenant_id) values ($1, $2)', [personId, tenantId]);
  await insertRoles(tx, personId, given, now);
}

/** Roles in force from now on, for who is a member. */
export async function insertRoles(
  tx: Transaction,
  personId: string,
  { roles, grantedBy, validUntil = null }: GivenRoles,
  now: Date,
): Promise<void> {
  await tx.run(
    `insert into role_assignment
       (tenant_id, assignment_id, person_id, role, valid_from, valid_until, granted_at, granted_by)
     select $1, id, $2, role, $3, $4, $3, $5 from unnest($6::uuid[], $7::text[]) as given (id, role)`,
    [tx.tenantId, personId, now, validUntil, grantedBy, roles.map(() => newId()), roles],
  );
}

interface MembershipRow {
  readonly personName: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly personLanguage: identity.Language;
  readonly personTimeZone: string;
  readonly organisationName: string;
  readonly baseCurrency: string;
  readonly organisationLanguage: identity.Language;
  readonly organisationTimeZone: string;
  readonly state: identity.OrganisationState;
  readonly roles: string[];
  readonly grants: string[];
  readonly rolesVersion: number;
  readonly rightsChangeAt: Date | null;
  readonly requireSecondFactor: boolean;
  readonly hasSecondFactor: boolean;
}

/** In the organisation of the transaction; undefined for who is no active member of it. */
export async function findMembership(
  tx: Transaction,
  personId: string,
  now: Date,
): Promise<Membership | undefined> {
  const row = await tx.first<MembershipRow>(
    `with assigned as (
       select role, valid_from, valid_until, valid_from <= $3 and (valid_until is null or valid_until > $3) as in_force
         from role_assignment
        where tenant_id = $1 and person_id = $2 and revoked_at is null and (valid_until is null or valid_until > $3)
     )
     select p.name as "personName", p.email, p.email_verified_at is not null as "emailVerified",
            p.language as "personLanguage", p.time_zone as "personTimeZone",
            o.name as "organisationName", o.base_currency as "baseCurrency", o.language as "organisationLanguage",
            o.time_zone as "organisationTimeZone", o.state, m.roles_version as "rolesVersion",
            o.require_second_factor as "requireSecondFactor",
            exists (select from second_factor f where f.person_id = p.person_id and f.added_at is not null)
              as "hasSecondFactor",
            array(select distinct role from assigned where in_force order by role) as roles,
            array(select distinct granted
                    from assigned a
                    join own_role_grants g on g.tenant_id = $1 and g.name = a.role and g.until is null,
                         unnest(g.grants) as granted
                   where a.in_force
                   order by granted) as grants,
            (select min(case when in_force then valid_until else valid_from end) from assigned) as "rightsChangeAt"
       from member m
       join organisation o on o.tenant_id = m.tenant_id
       join person p on p.person_id = m.person_id
      where m.tenant_id = $1 and m.person_id = $2 and m.state = 'active'`,
    [tx.tenantId, personId, now],
    'membership',
  );
  if (row === undefined || tx.tenantId === null) return undefined;
  const { email, emailVerified, baseCurrency, state, roles, grants, rolesVersion, rightsChangeAt } = row;
  const { requireSecondFactor, hasSecondFactor } = row;
  return {
    user: {
      id: personId,
      name: row.personName,
      email,
      emailVerified,
      language: row.personLanguage,
      timeZone: row.personTimeZone,
    },
    organisation: {
      id: tx.tenantId,
      name: row.organisationName,
      baseCurrency,
      language: row.organisationLanguage,
      timeZone: row.organisationTimeZone,
      state,
    },
    roles,
    grants,
    rolesVersion,
    rightsChangeAt,
    requireSecondFactor,
    hasSecondFactor,
  };
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
