import { newId } from '@marimo/contracts';
import { type identity, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { insertPerson } from '../src/identity/people/index.ts';
import { insertMember } from '../src/organisations/organisations/index.ts';

export const password = 'correct horse battery staple';

interface ClaimsSeen {
  readonly sid: string;
  readonly tid: string;
  readonly roles: readonly string[];
  readonly grants: readonly string[];
  readonly amr: readonly string[];
  readonly auth_time: number;
  readonly iat: number;
}

/** What an access token says. */
export function claimsOf({ accessToken }: Pick<identity.SignedIn, 'accessToken'>): ClaimsSeen {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
}

/** Own roles of an organisation with their grants by name, also such as nobody could define: no rule is asked. */
export async function plantRoles(
  users: ServiceUnderTest,
  tenantId: string,
  roles: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  for (const [name, grants] of Object.entries(roles)) {
    await users.database.sql(
      `with role as (
         insert into own_role (tenant_id, name, title, created_at) values ($1, $2, $2, now())
       ) insert into own_role_grants (tenant_id, name, since, grants) values ($1, $2, now(), $3)`,
      [tenantId, name, grants],
    );
  }
}

/** Organisations and their people for the tests of one service; everybody has the same password. */
export function peopleOf(users: () => ServiceUnderTest, now: () => Date = () => new Date()) {
  let count = 0;

  async function signIn(email: string): Promise<identity.SignedIn> {
    const { body } = await users().call(sessions.login, { body: { email, password } });
    if (!('accessToken' in body)) throw new Error(`${email} was asked for a second factor`);
    return body;
  }

  return {
    signIn,

    /** A new organisation; who is signed in is its first administrator. */
    async organisation(name = 'Pine'): Promise<identity.SignedIn> {
      count += 1;
      const email = `admin${count}@example.com`;
      const body = { organisation: name, name: `Admin ${count}`, email, password, language: 'en' as const };
      return (await users().call(sessions.register, { body })).body;
    },

    /** Another member of the organisation, signed in there; somebody new unless told who. */
    async member(
      of: identity.SignedIn,
      roles: readonly string[] = ['user'],
      { name = 'Boris', who }: { readonly name?: string; readonly who?: identity.SignedIn } = {},
    ): Promise<identity.SignedIn> {
      count += 1;
      const tenantId = of.organisation.id;
      const personId = who?.user.id ?? newId();
      const email = who?.user.email ?? `member${count}@example.com`;
      await users().database.database.withoutTenant(async (tx) => {
        if (who === undefined) {
          const known = await tx.first<{ hash: string }>(
            'select password_hash as hash from person where person_id = $1',
            [of.user.id],
          );
          const language = 'en' as const;
          const user = { id: personId, name, email, emailVerified: true, language, timeZone: 'UTC' };
          await insertPerson(tx, { ...user, passwordHash: known?.hash ?? null, tenantId }, now());
        } else {
          await tx.run('update person set last_tenant_id = $2 where person_id = $1', [personId, tenantId]);
        }
        await tx.enterTenant(tenantId);
        await insertMember(tx, personId, { roles, grantedBy: of.user.id }, now());
      });
      return signIn(email);
    },

    /** A token with a fresh proof of identity and the rights of now. */
    async anew({ user }: identity.SignedIn): Promise<string> {
      return (await signIn(user.email)).accessToken;
    },
  };
}

/** In ascending order: which of several that came at once got which is nobody's promise. */
export function statusesOf(answers: readonly { readonly status: number }[]): number[] {
  return answers.map(({ status }) => status).sort((a, b) => a - b);
}

/** How many transactions of this service wait for each other at this moment. */
async function waiting(users: ServiceUnderTest): Promise<number> {
  const [row] = await users.database.sql<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

/**
 * Lets requests meet where they would else only pass by chance: `lock` is taken, each request is started once those
 * before it have run up against a lock or are done, and then all go on at once.
 */
export async function raceAt<Answers extends readonly unknown[]>(
  users: ServiceUnderTest,
  tenantId: string,
  lock: { readonly sql: string; readonly values: readonly unknown[] },
  requests: { readonly [Place in keyof Answers]: () => Promise<Answers[Place]> },
): Promise<Answers> {
  const answers: Promise<unknown>[] = [];
  await users.database.database.inTenant(tenantId, async (tx) => {
    await tx.run(lock.sql, lock.values);
    let done = 0;
    for (const start of requests) {
      const answer = start().finally(() => {
        done += 1;
      });
      answers.push(answer);
      answer.catch(() => undefined); // told to whom awaits all of them
      while ((await waiting(users)) + done < answers.length) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  });
  return (await Promise.all(answers)) as unknown as Answers;
}
