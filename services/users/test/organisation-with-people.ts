import { newId } from '@marimo/contracts';
import { type identity, roleAssignments, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { insertPerson } from '../src/identity/people/index.ts';
import { insertMember } from '../src/organisations/organisations/index.ts';

export const password = 'correct horse battery staple';

export interface TestMember {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

interface MemberOptions {
  readonly name?: string;
  /** Somebody who has an account already. */
  readonly who?: identity.SignedIn;
}

interface RoleHolder {
  readonly memberId?: string;
  readonly serviceAccountId?: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
}

/** Over all organisations of a file of tests, so that no address comes twice. */
let count = 0;

/** Organisations and their people for the tests of one service; everybody has the same password. */
export function peopleOf(users: () => ServiceUnderTest, now: () => Date = () => new Date()) {
  async function signIn(email: string): Promise<identity.SignedIn> {
    const { body } = await users().call(sessions.login, { body: { email, password } });
    if (!('accessToken' in body)) throw new Error(`${email} was asked for a second factor`);
    return body;
  }

  async function plant(
    of: identity.SignedIn,
    roles: readonly string[] = [],
    { name = 'Boris', who }: MemberOptions = {},
  ): Promise<TestMember> {
    count += 1;
    const tenantId = of.organisation.id;
    const id = who?.user.id ?? newId();
    const email = who?.user.email ?? `member${count}@example.com`;
    await users().database.database.withoutTenant(async (tx) => {
      if (who === undefined) {
        const known = await tx.first<{ hash: string }>(
          'select password_hash as hash from person where person_id = $1',
          [of.user.id],
        );
        const user = { id, name, email, emailVerified: true, language: 'en' as const, timeZone: 'UTC' };
        await insertPerson(tx, { ...user, passwordHash: known?.hash ?? null, tenantId }, now());
      } else {
        await tx.run('update person set last_tenant_id = $2 where person_id = $1', [id, tenantId]);
      }
      await tx.enterTenant(tenantId);
      await insertMember(tx, id, { roles, grantedBy: of.user.id }, now());
    });
    return { id, email, name: who?.user.name ?? name };
  }

  return {
    signIn,

    /** A new organisation with its first administrator, signed in. */
    async organisation(name = 'Pine', administrator = 'Anna'): Promise<identity.SignedIn> {
      count += 1;
      const email = `admin${count}@example.com`;
      const body = { organisation: name, name: administrator, email, password, language: 'en' as const };
      return (await users().call(sessions.register, { body })).body;
    },

    /** A member with these roles from this moment on, who has not signed in. */
    plant,

    /** Another member of the organisation, signed in there; somebody new unless told who. */
    async member(
      of: identity.SignedIn,
      roles: readonly string[] = ['user'],
      options: MemberOptions = {},
    ): Promise<identity.SignedIn> {
      return signIn((await plant(of, roles, options)).email);
    },

    /** A token with a fresh proof of identity and the rights of now. */
    async anew({ user }: identity.SignedIn): Promise<string> {
      return (await signIn(user.email)).accessToken;
    },

    /** A service account without a key. */
    async serviceAccount({ organisation, user }: identity.SignedIn, name = 'Web shop'): Promise<string> {
      const id = newId();
      await users().database.sql(
        `insert into service_account (tenant_id, account_id, name, created_at, created_by) values ($1, $2, $3, $4, $5)`,
        [organisation.id, id, name, now(), user.id],
      );
      return id;
    },

    /** Assigns a role by the API; gives the assignment's id. */
    async give(as: string, to: RoleHolder, role: string): Promise<string> {
      const body = { assignmentId: newId(), ...to, role };
      return (await users().call(roleAssignments.assign, { body }, { as })).body.assignmentId;
    },

    /** Own roles of an organisation with their grants by name, also such as nobody could define: no rule is asked. */
    async plantRoles(tenantId: string, roles: Readonly<Record<string, readonly string[]>>): Promise<void> {
      for (const [name, grants] of Object.entries(roles)) {
        await users().database.sql(
          `with role as (
             insert into own_role (tenant_id, name, title, created_at) values ($1, $2, $2, now())
           ) insert into own_role_grants (tenant_id, name, since, grants) values ($1, $2, now(), $3)`,
          [tenantId, name, grants],
        );
      }
    },

    /** An existing person becomes a member of one more organisation, without a role. */
    async join(tenantId: string, personId: string): Promise<void> {
      await users().database.database.inTenant(tenantId, (tx) =>
        insertMember(tx, personId, { roles: [], grantedBy: null }, now()),
      );
    },
  };
}
