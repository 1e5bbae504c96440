import { newId } from '@marimo/contracts';
import type { identity } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';

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
export async function getMembership(
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
