import { Forbidden, MalformedRequest, newId, Stale, StepUpRequired } from '@marimo/contracts';
import {
  apiKeys,
  credentials,
  type identity,
  invitations,
  members,
  organisations,
  sessions,
} from '@marimo/contracts/users';
import { createOutbox } from '@marimo/messaging';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { password } from '../../../test/organisation-with-people.ts';
import { pineUnderTest } from '../../../test/pine-under-test.ts';
import { raceAt } from '../../../test/race.ts';
import { closeDue } from './closing.ts';

const { clock, people, present, as, isVoid, refreshed: refreshedNow } = pineUnderTest();
const minutes = 60_000;
const days = 24 * 60 * minutes;

let users: ServiceUnderTest;
let anna: identity.SignedIn;
let boris: identity.SignedIn;
beforeEach(() => {
  ({ users, anna, boris } = present());
});

const rowsOf = async (table: string, tenantId: string) =>
  (await users.rows<{ tenant_id: string }>(table)).filter((row) => row.tenant_id === tenantId);
const eventsOf = async (tenantId: string, type: string) =>
  (await users.events()).filter((event) => event.tenantid === tenantId && event.type === type);
const refreshed = (who: identity.SignedIn) => {
  clock.advance(1);
  return refreshedNow(who);
};
const closeDueNow = () => {
  const outbox = createOutbox({ service: 'users', clock: clock.now, onAdded: () => {} });
  return closeDue({ database: users.database.database, outbox, clock: clock.now, log: { warn: () => {} } });
};
const close = async (who: identity.SignedIn, name = 'Pine') =>
  users.call(organisations.close, { body: { name } }, await as(who));

describe('the settings of an organisation', () => {
  it('are changed by an administrator and published in one event', async () => {
    const change = { name: 'Pine & Oak', language: 'en', timeZone: 'Asia/Omsk' } as const;
    const answer = await users.call(organisations.change, { body: change }, await as(anna));
    expect(answer.body).toEqual({
      ...anna.organisation,
      ...change,
      requireSecondFactor: false,
      strictSeparation: false,
      closesAt: null,
    });
    const seen = await users.call(organisations.get, {}, await as(boris));
    expect(seen.body).toEqual(answer.body);
    expect(seen.headers.get('etag')).toBe(answer.headers.get('etag'));
    const events = await eventsOf(anna.organisation.id, organisations.changed.type);
    expect(events).toMatchObject([{ actorid: anna.user.id, data: answer.body }]);
  });

  it('publish no event when nothing differs', async () => {
    const before = await users.call(organisations.get, {}, await as(anna));
    const again = await users.call(organisations.change, { body: { name: 'Pine' } }, await as(anna));
    expect(again.headers.get('etag')).toBe(before.headers.get('etag'));
    expect(await eventsOf(anna.organisation.id, organisations.changed.type)).toEqual([]);
  });

  it('are not overwritten by a client that read them before another change', async () => {
    const token = await as(anna);
    const etag = (await users.call(organisations.get, {}, token)).headers.get('etag') ?? '';
    await users.call(organisations.change, { body: { name: 'Oak' } }, token);
    const headers = { 'if-match': etag };
    const late = await users.call(organisations.change, { body: { name: 'Elm' } }, { ...token, headers });
    expect(late).toBeRefused(Stale);
    expect((await users.call(organisations.get, {}, token)).body.name).toBe('Oak');
  });

  it('can only be changed by an administrator', async () => {
    const before = await rowsOf('organisation', anna.organisation.id);
    const answer = await users.call(organisations.change, { body: { name: 'Oak' } }, await as(boris));
    expect(answer).toBeRefused(Forbidden, { permission: 'users.organisation.change' });
    expect(await rowsOf('organisation', anna.organisation.id)).toEqual(before);
  });

  it.each([
    ['the base currency, because the books depend on it', { baseCurrency: 'EUR' }],
    ['a time zone that does not exist', { timeZone: 'Europe/Nowhere' }],
    ['a name of two lines', { name: 'Pine\nOak' }],
    ['the state', { state: 'closed' }],
  ])('refuse %s', async (_, body) => {
    const answer = await users.call(organisations.change, { body: body as object }, await as(anna));
    expect(answer).toBeRefused(MalformedRequest);
  });

  it.each(['requireSecondFactor', 'strictSeparation'] as const)(
    'lose the protection of %s only by somebody who proved a moment ago who they are',
    async (setting) => {
      // Raised beside the service: this is about the proof, not about what the setting does.
      const column = setting === 'strictSeparation' ? 'strict_separation' : 'require_second_factor';
      await users.database.sql(`update organisation set ${column} = true where tenant_id = $1`, [
        anna.organisation.id,
      ]);
      if (setting === 'requireSecondFactor') {
        await users.database.sql("update session set methods = '{pwd,otp,mfa}' where person_id = $1", [
          anna.user.id,
        ]);
      }
      clock.advance(1);
      const young = await refreshed(anna);
      clock.advance(11 * minutes);
      const old = (await users.call(sessions.refresh, { body: { refreshToken: young.body.refreshToken } }))
        .body;
      const refusal = await users.call(
        organisations.change,
        { body: { [setting]: false } },
        { as: old.accessToken },
      );
      expect(refusal).toBeRefused(StepUpRequired);
      const rows = await rowsOf('organisation', anna.organisation.id);
      expect(rows).toMatchObject([{ [column]: true }]);
      // What lowers nothing needs no new proof.
      const harmless = await users.call(
        organisations.change,
        { body: { name: 'Oak' } },
        { as: old.accessToken },
      );
      expect(harmless.status).toBe(200);
    },
  );
});

describe('a suspended organisation', () => {
  it('ends the sessions of all who cannot resume it, and voids every token', async () => {
    const answer = await users.call(organisations.suspend, {}, await as(anna));
    expect(answer.body.state).toBe('suspended');
    const alive = (await rowsOf('session', anna.organisation.id)).filter(
      (row) => (row as unknown as { ended_at: Date | null }).ended_at === null,
    ) as unknown as { person_id: string }[];
    expect(new Set(alive.map((row) => row.person_id))).toEqual(new Set([anna.user.id]));
    expect([await isVoid(anna), await isVoid(boris)]).toEqual([true, true]);
    expect(await refreshed(boris)).toBeRefused(credentials.RefreshTokenRefused);
    const events = await eventsOf(anna.organisation.id, organisations.suspended.type);
    expect(events).toMatchObject([{ subject: anna.organisation.id, actorid: anna.user.id }]);
  });

  it('lets its administrator read and resume, and nothing else', async () => {
    await users.call(organisations.suspend, {}, await as(anna));
    const admin = await as(anna);
    expect((await users.call(sessions.me, {}, admin)).body.permissions).toEqual(
      expect.arrayContaining(['accounting.report.read', 'users.member.read', 'users.organisation.suspend']),
    );
    expect((await users.call(members.list, { query: {} }, admin)).status).toBe(200);
    const change = await users.call(organisations.change, { body: { name: 'Oak' } }, admin);
    const invite = await users.call(invitations.invite, { body: { email: 'new@example.com' } }, admin);
    expect([change.status, invite.status]).toEqual([403, 403]);
    expect((await users.call(organisations.resume, {}, admin)).body.state).toBe('active');
  });

  it('tells other members that it is suspended, and lets them do nothing', async () => {
    await users.call(organisations.suspend, {}, await as(anna));
    const clerk = await people.signIn(boris.user.email);
    expect(claimsOf(clerk)).toMatchObject({ roles: [], grants: [] });
    const seen = await users.call(sessions.me, {}, { as: clerk.accessToken });
    expect(seen.body).toMatchObject({ permissions: [], roles: [], organisation: { state: 'suspended' } });
  });

  it('works as before once resumed', async () => {
    await users.call(organisations.suspend, {}, await as(anna));
    const paused = await people.signIn(anna.user.email);
    clock.advance(1);
    await users.call(organisations.resume, {}, { as: paused.accessToken });
    expect(await isVoid(paused)).toBe(true); // it grants little, so it is not to be used any longer
    expect(claimsOf((await refreshed(paused)).body).roles).toEqual(['admin']);
    expect(claimsOf(await people.signIn(boris.user.email)).roles).toEqual(['accountant']);
    expect(await eventsOf(anna.organisation.id, organisations.resumed.type)).toHaveLength(1);
  });

  it('is suspended once, however often it is requested', async () => {
    await users.call(organisations.suspend, {}, await as(anna));
    const idempotencyKey = newId();
    const token = await as(anna);
    expect((await users.call(organisations.suspend, { idempotencyKey }, token)).status).toBe(200);
    expect((await users.call(organisations.suspend, { idempotencyKey }, token)).status).toBe(200);
    expect(await eventsOf(anna.organisation.id, organisations.suspended.type)).toHaveLength(1);
  });

  it('is not changed without the permission or a recent proof of identity', async () => {
    expect(await users.call(organisations.suspend, {}, await as(boris))).toBeRefused(Forbidden);
    clock.advance(11 * minutes);
    const old = (await refreshed(anna)).body;
    expect(await users.call(organisations.suspend, {}, { as: old.accessToken })).toBeRefused(StepUpRequired);
    expect(await rowsOf('organisation', anna.organisation.id)).toMatchObject([{ state: 'active' }]);
  });

  it('gives no token with the earlier rights to a sign-in at the same moment', async () => {
    const token = await as(anna);
    clock.advance(2 * minutes); // so that the sign-in notes the presence, where it is stopped
    const [signIn] = await raceAt(
      users,
      anna.organisation.id,
      { sql: 'select from person where person_id = $1 for update', values: [boris.user.id] },
      [() => people.signIn(boris.user.email), () => users.call(organisations.suspend, {}, token)],
    );
    expect(claimsOf(signIn).roles.length === 0 || (await isVoid(signIn))).toBe(true);
  });
});

describe('closing an organisation', () => {
  it("requires the caller to type the organisation's name", async () => {
    const before = await rowsOf('organisation', anna.organisation.id);
    expect(await close(anna, 'pine')).toBeRefused(organisations.OrganisationNameDiffers);
    expect(await close(boris)).toBeRefused(Forbidden);
    expect(await rowsOf('organisation', anna.organisation.id)).toEqual(before);
    expect(await rowsOf('organisation_closing', anna.organisation.id)).toEqual([]);
  });

  it('stops work at once and tells until when it can be reopened', async () => {
    const { body, json } = await close(anna);
    expect(body).toMatchObject({
      state: 'closing',
      closesAt: new Date(clock.now().getTime() + 30 * days),
    });
    expect([await isVoid(anna), await isVoid(boris)]).toEqual([true, true]);
    expect(await refreshed(boris)).toBeRefused(credentials.RefreshTokenRefused);
    expect(await eventsOf(anna.organisation.id, organisations.closing.type)).toMatchObject([{ data: json }]);
    // Again changes nothing, not even the day.
    clock.advance(1 * days);
    expect((await close(anna)).body.closesAt).toEqual(body.closesAt);
  });

  it('can be cancelled on the last day, and then nothing closes', async () => {
    await close(anna);
    clock.advance(30 * days - 10);
    await closeDueNow();
    const reopened = await users.call(organisations.reopen, {}, await as(anna));
    expect(reopened.body).toMatchObject({ state: 'active', closesAt: null });
    clock.advance(2 * days);
    await closeDueNow();
    expect(claimsOf(await people.signIn(boris.user.email)).roles).toEqual(['accountant']);
    expect(await eventsOf(anna.organisation.id, organisations.reopened.type)).toHaveLength(1);
    expect(await eventsOf(anna.organisation.id, organisations.closed.type)).toEqual([]);
  });

  it('leaves no live session, token, membership, role or key after the deadline', async () => {
    const elsewhere = await people.organisation('Oak');
    await people.member(elsewhere, ['user'], { who: boris });
    await people.signIn(boris.user.email);
    await users.database.sql('update person set last_tenant_id = $2 where person_id = $1', [
      boris.user.id,
      anna.organisation.id,
    ]);
    const body = { keyId: newId(), name: 'Import', scopes: ['accounting.*'] };
    const here = await people.signIn(boris.user.email);
    expect((await users.call(apiKeys.createOwn, { body }, { as: here.accessToken })).status).toBe(201);
    await close(anna);
    expect(await rowsOf('api_key', anna.organisation.id)).toMatchObject([{ revoked_at: null }]);
    clock.advance(30 * days - 1_000);
    const [admin, clerk] = [await people.signIn(anna.user.email), await people.signIn(boris.user.email)];
    clock.advance(1_000);
    await closeDueNow();

    const { id } = anna.organisation;
    expect(await rowsOf('organisation', id)).toMatchObject([{ state: 'closed' }]);
    expect([await isVoid(admin), await isVoid(clerk)]).toEqual([true, true]);
    const alive = async (table: string, over: string) =>
      (await users.database.sql(`select from ${table} where tenant_id = $1 and ${over}`, [id])).length;
    expect(await alive('session', 'ended_at is null and expires_at > now()')).toBe(0);
    expect(await alive('member', "state <> 'left'")).toBe(0);
    expect(await alive('member_period', 'ended_at is null')).toBe(0);
    expect(await alive('role_assignment', 'revoked_at is null')).toBe(0);
    expect(await alive('api_key', 'revoked_at is null')).toBe(0);
    expect(await alive('workplace', 'true')).toBe(0);
    expect(await alive('organisation_closing', 'true')).toBe(0);
    expect(await eventsOf(id, organisations.closed.type)).toMatchObject([{ data: { state: 'closed' } }]);

    for (const { refreshToken } of [admin, clerk]) {
      expect(await users.call(sessions.refresh, { body: { refreshToken } })).toBeRefused(
        credentials.RefreshTokenRefused,
      );
    }
    const signInWith = { email: anna.user.email, password };
    expect(await users.call(sessions.login, { body: signInWith })).toBeRefused(
      organisations.NoActiveMembership,
    );
    // Who works elsewhere too goes on there.
    const other = await people.signIn(boris.user.email);
    expect(other.organisation.name).toBe('Oak');
    const places = await users.call(organisations.listMemberships, {}, { as: other.accessToken });
    expect(places.body.items.map(({ name }) => name)).toEqual(['Oak']);
  });

  it('happens once when two instances find it due at the same time', async () => {
    await close(anna);
    clock.advance(30 * days);
    // Both have found it due before either closes it.
    const { id } = anna.organisation;
    const lock = { sql: 'select from organisation where tenant_id = $1 for update', values: [id] };
    await raceAt(users, id, lock, [closeDueNow, closeDueNow]);
    expect(await eventsOf(anna.organisation.id, organisations.closed.type)).toHaveLength(1);
  });

  it('is not delayed by another organisation that cannot be closed', async () => {
    await close(anna);
    clock.advance(1);
    const oak = await people.organisation('Oak');
    await close(oak, 'Oak');
    clock.advance(30 * days);
    const outbox = createOutbox({ service: 'users', clock: clock.now, onAdded: () => {} });
    const failing: typeof outbox = {
      ...outbox,
      add: (tx, type, subject, data) =>
        subject === anna.organisation.id
          ? Promise.reject(new Error('no room'))
          : outbox.add(tx, type, subject, data),
    };
    const warnings: string[] = [];
    const log = { warn: (message: string) => warnings.push(message) };
    await closeDue({ database: users.database.database, outbox: failing, clock: clock.now, log });
    expect(await rowsOf('organisation', anna.organisation.id)).toMatchObject([{ state: 'closing' }]);
    expect(await rowsOf('organisation', oak.organisation.id)).toMatchObject([{ state: 'closed' }]);
    expect(warnings).toHaveLength(1);
  });

  it("also happens when another machine's clock was ahead", async () => {
    await users.database.sql('update member_period set began_at = $2 where tenant_id = $1', [
      anna.organisation.id,
      new Date(clock.now().getTime() + 31 * days),
    ]);
    await close(anna);
    clock.advance(30 * days);
    await closeDueNow();
    expect(await rowsOf('organisation', anna.organisation.id)).toMatchObject([{ state: 'closed' }]);
  });

  it('allows only the declared order of states', async () => {
    expect(await users.call(organisations.reopen, {}, await as(anna))).not.toBeRefused(
      organisations.OrganisationNotInState,
    );
    await close(anna);
    expect(await users.call(organisations.suspend, {}, await as(anna))).toBeRefused(
      organisations.OrganisationNotInState,
      {
        state: 'closing',
        needed: ['active'],
      },
    );
    expect(await users.call(organisations.resume, {}, await as(anna))).toBeRefused(
      organisations.OrganisationNotInState,
    );
    expect(await rowsOf('organisation', anna.organisation.id)).toMatchObject([{ state: 'closing' }]);
  });
});
