import { newId } from '@marimo/contracts';
import { type identity, roleAssignments, roles, sessions, signInProviders } from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { claimsOf } from '../../../test/claims.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import {
  federationOf,
  type ProviderUnderTest,
  providerUnderTest,
} from '../../../test/provider-under-test.ts';

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let provider: ProviderUnderTest;
let admin: identity.SignedIn;
beforeAll(async () => {
  provider = await providerUnderTest();
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
});
beforeEach(async () => {
  admin = await people.organisation();
});
afterAll(async () => {
  await users?.stop();
  await provider?.stop();
});

const people = peopleOf(() => users, clock.now);
const federation = federationOf(
  () => users,
  () => provider,
);
let count = 0;

/** Somebody who signs in with the provider again and again, with these claims beside the address. */
async function somebody(changes: object, roles: readonly string[] = []) {
  const { user } = await people.member(admin, roles);
  const providerId = await federation.connect(admin, changes);
  const account = `holder-${++count}`;
  const enter = (claims: object) =>
    federation.enter(admin.organisation.id, providerId, account, {
      email: user.email,
      email_verified: true,
      ...claims,
    });
  const rolesAfter = async (claims: object) =>
    claimsOf((await enter(claims)).body as identity.SignedIn).roles;
  return { user, providerId, enter, rolesAfter };
}

const mapping = { roles: { books: 'accountant', shop: 'shop_manager' } };

describe("roles mapped from a provider's claim", () => {
  it('follow the values of the claim, and roles given by people stay', async () => {
    const { user, rolesAfter } = await somebody(mapping, ['agent']);
    expect(await rolesAfter({ groups: ['books', 'strangers'] })).toEqual(['accountant', 'agent']);
    expect(await rolesAfter({ groups: ['books', 'shop'] })).toEqual(['accountant', 'agent', 'shop_manager']);
    expect(await rolesAfter({ groups: 'shop' })).toEqual(['agent', 'shop_manager']);
    expect(await rolesAfter({})).toEqual(['agent']);
    const events = (await users.events()).filter(
      ({ data }) => (data as { memberId?: string }).memberId === user.id,
    );
    expect(events.map(({ type, data }) => [type, (data as { role: string }).role])).toEqual([
      [roleAssignments.assigned.type, 'accountant'],
      [roleAssignments.assigned.type, 'shop_manager'],
      [roleAssignments.revoked.type, 'accountant'],
      [roleAssignments.revoked.type, 'shop_manager'],
    ]);
  });

  it('void the tokens of other sessions when they change, and only then', async () => {
    const { enter } = await somebody(mapping);
    const first = (await enter({ groups: ['books'] })).body as identity.SignedIn;
    const versionOf = async () => {
      const [row] = await users.database.sql<{ count: number }>(
        'select count(*)::int as count from revocation where session_id = $1',
        [claimsOf(first).sid],
      );
      return row?.count;
    };
    await enter({ groups: ['books'] });
    expect(await versionOf()).toBe(0);
    await enter({ groups: ['shop'] });
    expect(await versionOf()).toBe(1);
    const next = await users.call(sessions.refresh, { body: { refreshToken: first.refreshToken } });
    expect(claimsOf(next.body).roles).toEqual(['shop_manager']);
  });

  it('are read inside the token, and from a claim whose name has dots', async () => {
    const { rolesAfter } = await somebody({ ...mapping, rolesClaim: 'realm_access.roles' });
    expect(await rolesAfter({ realm_access: { roles: ['books'] } })).toEqual(['accountant']);
    expect(await rolesAfter({ realm_access: { roles: { books: true } } })).toEqual([]);
    expect(await rolesAfter({ realm_access: ['books'] })).toEqual([]);
  });

  it('are read behind a name with dots: at each level the longest existing name applies', async () => {
    const rolesClaim = 'resource_access.com.larch.erp.roles';
    const { user, providerId, rolesAfter } = await somebody({ ...mapping, rolesClaim });
    const client = (roles: string[]) => ({
      'com.larch.erp': { roles },
      com: { larch: { erp: { roles: ['shop'] } } },
    });
    expect(await rolesAfter({ resource_access: client(['books']) })).toEqual(['accountant']);
    const missing = async () =>
      (await users.events()).filter(
        ({ subject, type }) => subject === user.id && type === signInProviders.rolesClaimMissing.type,
      );
    expect(await missing()).toEqual([]);
    expect(await rolesAfter({ resource_access: { other: { roles: ['books'] } } })).toEqual([]);
    expect(await missing()).toMatchObject([{ data: { userId: user.id, providerId, rolesClaim } }]);
  });

  it('include the roles that all members get', async () => {
    const { rolesAfter } = await somebody({ ...mapping, defaultRoles: ['user'] });
    expect(await rolesAfter({ groups: ['books'] })).toEqual(['accountant', 'user']);
  });

  it('are refused if they create a conflict of duties: the sign-in fails and nothing changes', async () => {
    await define('pays', ['accounting.payment.post']);
    const { user, enter, rolesAfter } = await somebody(mapping, ['agent']);
    const before = await rolesAfter({ groups: ['shop'] });
    expect(before).toEqual(['agent', 'shop_manager']);
    const conflicting = await federation.connect(admin, {
      roles: { one: 'accountant', two: 'manager', three: 'production_manager' },
    });
    await users.database.sql('update organisation set strict_separation = true where tenant_id = $1', [
      admin.organisation.id,
    ]);
    const claims = { email: user.email, email_verified: true, groups: ['one', 'two', 'three'] };
    const answer = await federation.enter(admin.organisation.id, conflicting, `x${count}`, claims);
    expect(answer).toBeRefused(roles.SeparationOfDutiesViolated);
    const linked = await users.database.sql('select from federated_identity where provider_id = $1', [
      conflicting,
    ]);
    expect(linked).toEqual([]);
    expect(claimsOf((await enter({ groups: ['shop'] })).body as identity.SignedIn).roles).toEqual(before);
  });

  it('never remove the last administrator, and publish that one stayed', async () => {
    const { user, providerId, rolesAfter } = await somebody({ roles: { boss: 'admin' } });
    expect(await rolesAfter({ groups: ['boss'] })).toEqual(['admin']);
    await users.database.sql('update role_assignment set revoked_at = $2 where person_id = $1', [
      admin.user.id,
      clock.now(),
    ]);
    expect(await rolesAfter({})).toEqual(['admin']);
    const kept = (await users.events()).filter(
      ({ type }) => type === signInProviders.lastAdministratorKept.type,
    );
    expect(kept).toMatchObject([{ subject: user.id, data: { userId: user.id, providerId } }]);
    await users.database.sql('update role_assignment set revoked_at = null where person_id = $1', [
      admin.user.id,
    ]);
    expect(await rolesAfter({})).toEqual([]);
  });

  it('skip a deleted role', async () => {
    await define('packer', ['shop.order.read']);
    const { rolesAfter } = await somebody({ roles: { ...mapping.roles, pack: 'packer' } });
    await users.database.sql('update own_role set deleted_at = now() where tenant_id = $1', [
      admin.organisation.id,
    ]);
    expect(await rolesAfter({ groups: ['pack', 'books'] })).toEqual(['accountant']);
  });

  it('can only be mapped by a caller who holds them', async () => {
    await define('it_staff', ['users.sign-in-provider.*', 'users.role.assign']);
    const boris = await people.member(admin, ['it_staff']);
    const body = {
      providerId: newId(),
      name: 'Mine',
      issuer: provider.issuer,
      clientId: 'marimo',
      roles: { me: 'admin' },
    };
    const answer = await users.call(signInProviders.connect, { body }, { as: boris.accessToken });
    expect(answer).toBeRefused(roles.GrantsBeyondOwn);
    const given = { assignmentId: newId(), memberId: boris.user.id, role: 'admin' };
    expect(
      (await users.call(roleAssignments.assign, { body: given }, { as: boris.accessToken })).status,
    ).toBe(403);
  });
});

async function define(name: string, grants: readonly string[]): Promise<void> {
  const { sql } = users.database;
  const tenantId = admin.organisation.id;
  await sql('insert into own_role (tenant_id, name, title, created_at) values ($1, $2, $2, now())', [
    tenantId,
    name,
  ]);
  await sql(
    `insert into own_role_grants (tenant_id, name, since, grants) values ($1, $2, now() - interval '1 day', $3)`,
    [tenantId, name, grants],
  );
}
