import { newId } from '@marimo/contracts';
import { type identity, roleAssignments, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';

export const password = 'correct horse battery staple';
let count = 0;

/** An organisation and its first administrator, signed in. */
export async function organisationOf(users: ServiceUnderTest): Promise<identity.SignedIn> {
  const email = `admin${++count}-${newId()}@example.com`;
  const body = { organisation: 'Pine & Co', name: 'Anna', email, password };
  return (await users.call(sessions.register, { body })).body;
}

export interface TestMember {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** A member without roles from this moment on, with the administrator's password; planted, not invited. */
export async function memberOf(
  users: ServiceUnderTest,
  { organisation, user }: identity.SignedIn,
  joinedAt: Date,
  name = 'Boris',
): Promise<TestMember> {
  const id = newId();
  const email = `member${++count}-${id}@example.com`;
  await users.database.sql(
    `insert into person (person_id, email, email_key, name, language, password_hash, last_tenant_id, last_seen_at)
     select $1, $2, $2, $3, language, password_hash, $4, $5 from person where person_id = $6`,
    [id, email, name, organisation.id, joinedAt, user.id],
  );
  await users.database.sql('insert into member (tenant_id, person_id, joined_at) values ($1, $2, $3)', [
    organisation.id,
    id,
    joinedAt,
  ]);
  await users.database.sql('insert into member_period (tenant_id, person_id, began_at) values ($1, $2, $3)', [
    organisation.id,
    id,
    joinedAt,
  ]);
  await users.database.sql('insert into workplace (person_id, tenant_id) values ($1, $2)', [
    id,
    organisation.id,
  ]);
  return { id, email, name };
}

/** Planted: a service account without a key. */
export async function serviceAccountOf(
  users: ServiceUnderTest,
  { organisation, user }: identity.SignedIn,
  createdAt: Date,
  name = 'Web shop',
): Promise<string> {
  const id = newId();
  await users.database.sql(
    `insert into service_account (tenant_id, account_id, name, created_at, created_by) values ($1, $2, $3, $4, $5)`,
    [organisation.id, id, name, createdAt, user.id],
  );
  return id;
}

/** Signs somebody in anew: their token then says what they may do at this moment. */
export async function signIn(users: ServiceUnderTest, email: string): Promise<identity.SignedIn> {
  const answer = await users.call(sessions.login, { body: { email, password } });
  if (!('accessToken' in answer.body)) throw new Error('Signing in asks for more than a password');
  return answer.body;
}

/** The claims of a token, unverified. */
export function claimsOf(accessToken: string): {
  roles: string[];
  grants: string[];
  rv: number;
  exp: number;
  sid: string;
} {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
}

interface RoleHolder {
  readonly memberId?: string;
  readonly serviceAccountId?: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
}

/** Assigns a role by the API; gives the assignment's id. */
export async function give(
  users: ServiceUnderTest,
  as: string,
  to: RoleHolder,
  role: string,
): Promise<string> {
  const assignmentId = newId();
  const answer = await users.call(roleAssignments.assign, { body: { assignmentId, ...to, role } }, { as });
  return answer.body.assignmentId;
}
