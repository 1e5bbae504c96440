import { newId } from '@marimo/contracts';
import { type identity, roleAssignments, roles } from '@marimo/contracts/users';
import { testClock } from '@marimo/testing';
import { peopleOf, type TestMember } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';
import { requireNoConflict } from '../conflicting-duties/index.ts';
import { insertAssignment } from './assignment-store.ts';

const clock = testClock(new Date(Math.ceil(Date.now() / 1_000) * 1_000).toISOString());
const days = 24 * 60 * 60_000;

const users = useUsers({ clock: clock.now });
const staff = peopleOf(() => users, clock.now);
let anna: identity.SignedIn;
let boris: TestMember;
let as: string;
beforeEach(async () => {
  anna = await staff.organisation();
  as = anna.accessToken;
  boris = await staff.plant(anna);
  await define('clerk', ['accounting.journal-entry.post']);
  await define('corrector', ['accounting.journal-entry.reverse']);
  await define('auditor', ['workers.audit.read']);
});

const inDays = (number: number) => new Date(clock.now().getTime() + number * days).toISOString();
const define = (name: string, grants: string[]) =>
  users.call(roles.define, { body: { name, title: name, grants } }, { as });
const assign = (role: string, validity: object = {}, to: object = { memberId: boris.id }) =>
  users.call(roleAssignments.assign, { body: { assignmentId: newId(), ...to, role, ...validity } }, { as });
const rolesOf = async (memberId: string) =>
  (await users.call(roleAssignments.list, { query: { memberId, state: 'in-force' } }, { as })).body.items
    .map(({ role }) => role)
    .sort();
const beStrict = () =>
  users.database.sql('update organisation set strict_separation = true where tenant_id = $1', [
    anna.organisation.id,
  ]);

describe('assigning a role that creates a conflict of duties', () => {
  it('is refused with the pair, the reason, both sides and the roles, and stores nothing', async () => {
    await assign('clerk');
    const refused = await assign('corrector');
    expect(refused.status).toBe(422);
    expect(refused).toBeRefused(roles.SeparationOfDutiesViolated, {
      holderId: boris.id,
      at: clock.now().toISOString(),
      conflicts: [
        {
          pair: 'post-and-reverse',
          heading: { en: 'Posting entries and reversing them', ru: 'Проведение записей и их сторнирование' },
          why: { en: expect.stringMatching(/\S/), ru: expect.stringMatching(/[а-я]/) },
          left: ['accounting.journal-entry.post'],
          leftThrough: ['clerk'],
          right: ['accounting.journal-entry.reverse'],
          rightThrough: ['corrector'],
        },
      ],
    });
    expect(await rolesOf(boris.id)).toEqual(['clerk']);
    const told = (await users.events()).filter(
      ({ type, tenantid }) => type === roleAssignments.assigned.type && tenantid === anna.organisation.id,
    );
    expect(told).toHaveLength(1);
  });

  it('lists every pair it would create', async () => {
    await assign('accountant');
    await define('people', ['users.role.assign']);
    await define('keys', ['users.service-account.change']);
    const refused = await assign('people');
    expect(refused).toBeRefused(roles.SeparationOfDutiesViolated, {
      conflicts: [expect.objectContaining({ pair: 'assign-roles-and-post' })],
    });
    const vera = { memberId: (await staff.plant(anna)).id };
    await assign('people', {}, vera);
    expect(await assign('keys', {}, vera)).toBeRefused(roles.SeparationOfDutiesViolated, {
      conflicts: [expect.objectContaining({ pair: 'make-and-authorise-service-accounts' })],
    });
  });

  it('is refused through a built-in role as through an own one', async () => {
    await assign('accountant');
    expect(await assign('auditor')).toBeRefused(roles.SeparationOfDutiesViolated, {
      conflicts: [expect.objectContaining({ pair: 'verify-audit-and-post', rightThrough: ['accountant'] })],
    });
  });

  it("is accepted when one of the holder's built-in roles has both duties itself", async () => {
    await assign('accountant');
    expect((await assign('clerk')).status).toBe(201);
    expect((await assign('corrector')).status).toBe(201);
    expect((await assign('manager')).status).toBe(201);
  });

  it('is refused to a service account as to a member', async () => {
    const shop = { serviceAccountId: await staff.serviceAccount(anna) };
    await assign('clerk', {}, shop);
    expect(await assign('corrector', {}, shop)).toBeRefused(roles.SeparationOfDutiesViolated, {
      holderId: shop.serviceAccountId,
    });
  });

  it('is refused when the periods overlap, and accepted when they only touch', async () => {
    await assign('clerk', { validFrom: inDays(10), validUntil: inDays(20) });
    const meeting: object[] = [
      {},
      { validUntil: inDays(11) },
      { validFrom: inDays(19) },
      { validFrom: inDays(12), validUntil: inDays(13) },
    ];
    for (const validity of meeting) {
      expect(await assign('corrector', validity)).toBeRefused(roles.SeparationOfDutiesViolated);
    }
    expect((await assign('corrector', { validUntil: inDays(10) })).status).toBe(201);
    expect((await assign('corrector', { validFrom: inDays(20) })).status).toBe(201);
  });

  it('tells the first moment of the conflict', async () => {
    await assign('clerk', { validFrom: inDays(10) });
    expect(await assign('corrector')).toBeRefused(roles.SeparationOfDutiesViolated, { at: inDays(10) });
  });

  it('is refused for the time after the built-in role with both duties ends', async () => {
    await assign('accountant', { validUntil: inDays(5) });
    await assign('clerk');
    expect(await assign('corrector')).toBeRefused(roles.SeparationOfDutiesViolated, { at: inDays(5) });
    expect((await assign('corrector', { validUntil: inDays(5) })).status).toBe(201);
  });

  it('is accepted again once the other side was revoked', async () => {
    const assignmentId = await staff.give(as, { memberId: boris.id }, 'clerk');
    await users.call(roleAssignments.revoke, { params: { assignmentId }, body: {} }, { as });
    expect((await assign('corrector')).status).toBe(201);
  });
});

describe('an organisation with strict separation', () => {
  it("refuses built-in roles with conflicting duties, except the administrator's", async () => {
    await beStrict();
    expect(await assign('accountant')).toBeRefused(roles.SeparationOfDutiesViolated);
    expect(await assign('manager')).toBeRefused(roles.SeparationOfDutiesViolated);
    expect((await assign('user')).status).toBe(201);
    expect((await assign('clerk')).status).toBe(201);
    expect((await assign('admin')).status).toBe(201);
  });

  it('refuses additions to a built-in role, and keeps earlier assignments', async () => {
    await assign('accountant');
    await beStrict();
    expect(await assign('clerk')).toBeRefused(roles.SeparationOfDutiesViolated);
    expect((await assign('user')).status).toBe(201);
    expect(await rolesOf(boris.id)).toEqual(['accountant', 'user']);
  });
});

describe('concurrent assignments', () => {
  it('accept one of two that conflict', async () => {
    for (let n = 0; n < 5; n += 1) {
      const to = { memberId: (await staff.plant(anna)).id };
      const answers = await Promise.all([assign('clerk', {}, to), assign('corrector', {}, to)]);
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 422]);
    }
  });

  it('accept one of two of the same role', async () => {
    const answers = await Promise.all([assign('clerk'), assign('clerk')]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409]);
  });

  // As an invitation or a claim of a provider gives roles: without the lock on the organisation.
  it("from different sources see each other's result", async () => {
    const now = clock.now();
    const holder = { personId: boris.id };
    let first: () => void = () => undefined;
    const checked = new Promise<void>((resolve) => {
      first = resolve;
    });
    const giveTo = (role: string, before: () => Promise<void>, after: () => Promise<void>) =>
      users.database.database.inTenant(anna.organisation.id, async (tx) => {
        await before();
        await requireNoConflict(tx, { holder, roles: [role], now });
        await after();
        const given = { assignmentId: newId(), holder, role, from: now, until: null, grantedBy: null };
        await insertAssignment(tx, given, now);
      });
    /** Until the other transaction waits for a lock, or is through. */
    const otherIsStuck = async () => {
      for (let n = 0; n < 200; n += 1) {
        const waiting = await users.database.sql(
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        if (waiting.length > 0) return;
      }
    };
    const one = giveTo(
      'clerk',
      async () => undefined,
      async () => {
        first();
        await otherIsStuck();
      },
    );
    const other = giveTo(
      'corrector',
      () => checked,
      async () => undefined,
    );
    const [, second] = await Promise.allSettled([one, other]);
    expect(second).toMatchObject({
      status: 'rejected',
      reason: expect.any(roles.SeparationOfDutiesViolated),
    });
    expect(await rolesOf(boris.id)).toEqual(['clerk']);
  });
});

describe('checks of roles given in other ways', () => {
  const requireGivable = (giving: object) =>
    users.database.database.inTenant(anna.organisation.id, (tx) =>
      requireNoConflict(tx, { roles: [], now: clock.now(), ...giving }),
    );

  it('require that the roles exist and do not conflict with each other, even before a holder has them', async () => {
    await expect(requireGivable({ roles: ['clerk', 'auditor'] })).rejects.toThrow(
      roles.SeparationOfDutiesViolated,
    );
    await expect(requireGivable({ roles: ['nobody'] })).rejects.toThrow(roles.RoleUnknown);
    await requireGivable({ roles: ['clerk', 'user'] });
    await requireGivable({ roles: [] });
  });

  it('require that a token can carry them', async () => {
    for (const name of ['wide', 'wider']) {
      const grants = Array.from({ length: 101 }, (_, n) => `shop.${name}${n}.read`);
      await staff.plantRoles(anna.organisation.id, { [name]: grants });
    }
    await expect(requireGivable({ roles: ['wide', 'wider'] })).rejects.toThrow(roles.TooManyRights);
    expect((await assign('wide')).status).toBe(201);
    const refused = await assign('wider');
    expect(refused).toBeRefused(roles.TooManyRights, {
      holderId: boris.id,
      roles: 2,
      grants: 202,
      grantsLimit: 200,
    });
    expect(await rolesOf(boris.id)).toEqual(['wide']);
  });
});
