import { newId } from '@marimo/contracts';
import { login, register, type SignedIn } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { insertMember, insertPerson } from '../src/organisations/index.ts';

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
export function claimsOf({ accessToken }: Pick<SignedIn, 'accessToken'>): ClaimsSeen {
  return JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString());
}

/** Organisations and their people for the tests of one service; everybody has the same password. */
export function peopleOf(users: () => ServiceUnderTest, now: () => Date = () => new Date()) {
  let count = 0;

  async function signIn(email: string): Promise<SignedIn> {
    const { body } = await users().call(login, { body: { email, password } });
    if (!('accessToken' in body)) throw new Error(`${email} was asked for a second factor`);
    return body;
  }

  return {
    signIn,

    /** A new organisation; who is signed in is its first administrator. */
    async organisation(name = 'Pine'): Promise<SignedIn> {
      count += 1;
      const email = `admin${count}@example.com`;
      const body = { organisation: name, name: `Admin ${count}`, email, password, language: 'en' as const };
      return (await users().call(register, { body })).body;
    },

    /** Another member of the organisation, signed in there; somebody new unless told who. */
    async member(
      of: SignedIn,
      roles: readonly string[] = ['user'],
      { name = 'Boris', who }: { readonly name?: string; readonly who?: SignedIn } = {},
    ): Promise<SignedIn> {
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
    async anew({ user }: SignedIn): Promise<string> {
      return (await signIn(user.email)).accessToken;
    },
  };
}
