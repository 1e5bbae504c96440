import { Absent, newId } from '@marimo/contracts';
import { deviceSessions, type identity, sessions } from '@marimo/contracts/users';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const users = useUsers();
const staff = peopleOf(() => users);
let anna: identity.SignedIn;
beforeEach(async () => {
  anna = await staff.organisation();
});
async function phone(): Promise<identity.SignedIn> {
  const headers = { 'user-agent': 'Marimo for phones', 'x-forwarded-for': '203.0.113.7' };
  const answer = await users.call(
    sessions.login,
    { body: { email: anna.user.email, password } },
    { headers },
  );
  return answer.body as identity.SignedIn;
}
const sessionsOf = async ({ accessToken }: identity.SignedIn) =>
  (await users.call(deviceSessions.listMine, {}, { as: accessToken })).body.items;
const goesOn = async ({ refreshToken }: identity.SignedIn) =>
  (await users.call(sessions.refresh, { body: { refreshToken } })).status === 200;
const endedOf = async (sessionId: string) =>
  (await users.events()).filter(({ type, subject }) => type === sessions.ended.type && subject === sessionId);

describe("the list of a person's sessions", () => {
  it('shows each device with its address, and marks the current one', async () => {
    await phone();
    const [one, other] = await sessionsOf(anna);
    expect(new Set([one?.client, other?.client])).toEqual(new Set(['Marimo for phones', 'node']));
    const seen = [one, other].find((each) => each?.client === 'Marimo for phones');
    expect(seen).toMatchObject({
      address: '203.0.113.7',
      methods: ['pwd'],
      current: false,
      deviceName: null,
    });
    expect(new Set([one?.current, other?.current])).toEqual(new Set([false, true]));
  });

  it('includes sessions in other organisations', async () => {
    const elsewhere = newId();
    await signedInElsewhere(elsewhere);
    const items = await sessionsOf(anna);
    expect(items.map(({ organisation }) => organisation.name).sort()).toEqual(['Oak', 'Pine']);
  });

  it('shows neither ended sessions nor those of other people', async () => {
    const stranger = await staff.organisation();
    const { id } = (await sessionsOf(stranger))[0]!;
    expect((await sessionsOf(anna)).map((each) => each.id)).not.toContain(id);
  });
});

describe("a device of one's own", () => {
  it('can be named, with one event per change', async () => {
    const { id } = (await sessionsOf(anna))[0]!;
    const name = () =>
      users.call(
        deviceSessions.nameMine,
        { params: { sessionId: id }, body: { deviceName: 'Ноутбук' } },
        { as: anna.accessToken },
      );
    expect((await name()).body.deviceName).toBe('Ноутбук');
    expect((await name()).status).toBe(200);
    expect((await sessionsOf(anna))[0]?.deviceName).toBe('Ноутбук');
    const told = (await users.events()).filter(
      ({ type, subject }) => type === sessions.named.type && subject === id,
    );
    expect(told).toHaveLength(1);
  });

  it('of another person can neither be named nor signed out', async () => {
    const stranger = await staff.organisation();
    const params = { sessionId: (await sessionsOf(stranger))[0]!.id };
    const as = { as: anna.accessToken };
    expect(await users.call(deviceSessions.nameMine, { params, body: { deviceName: 'x' } }, as)).toBeRefused(
      Absent,
    );
    expect(await users.call(deviceSessions.revokeMine, { params }, as)).toBeRefused(Absent);
    expect(await goesOn(stranger)).toBe(true);
  });
});

describe("a colleague's device", () => {
  it('cannot be seen, named or signed out, even in the same organisation', async () => {
    const colleague = await staff.organisation();
    const sessionId = await signedInElsewhere(anna.organisation.id, colleague.user.id);
    const as = { as: anna.accessToken };
    const params = { sessionId };
    expect((await sessionsOf(anna)).map(({ id }) => id)).not.toContain(sessionId);
    expect(await users.call(deviceSessions.nameMine, { params, body: { deviceName: 'x' } }, as)).toBeRefused(
      Absent,
    );
    expect(await users.call(deviceSessions.revokeMine, { params }, as)).toBeRefused(Absent);
    expect(await endedOf(sessionId)).toEqual([]);
  });
});

describe('signing out other devices', () => {
  it('ends one session in any organisation, and can be repeated', async () => {
    const elsewhere = newId();
    const sessionId = await signedInElsewhere(elsewhere);
    const revoke = () =>
      users.call(deviceSessions.revokeMine, { params: { sessionId } }, { as: anna.accessToken });
    expect((await revoke()).status).toBe(204);
    expect((await revoke()).status).toBe(204);
    const told = await endedOf(sessionId);
    expect(told).toMatchObject([{ tenantid: elsewhere, data: { reason: 'revoked' } }]);
    expect((await users.rows('revocation')).map(({ session_id: id }) => id)).toContain(sessionId);
  });

  it('ends all others and keeps the current session', async () => {
    const other = await phone();
    const body = { which: 'others' as const };
    const answer = await users.call(deviceSessions.revokeAllMine, { body }, { as: anna.accessToken });
    expect(answer.body).toEqual({ ended: 1 });
    expect(await goesOn(other)).toBe(false);
    expect((await users.call(sessions.me, {}, { as: anna.accessToken })).status).toBe(200);
    expect(await goesOn(anna)).toBe(true);
  });

  it('ends all sessions', async () => {
    const other = await phone();
    const body = { which: 'all' as const };
    const answer = await users.call(deviceSessions.revokeAllMine, { body }, { as: anna.accessToken });
    expect(answer.body).toEqual({ ended: 2 });
    expect([await goesOn(other), await goesOn(anna)]).toEqual([false, false]);
  });
});

describe('an administrator', () => {
  it("ends a member's sessions in this organisation only", async () => {
    const elsewhere = newId();
    const sessionId = await signedInElsewhere(elsewhere);
    const params = { memberId: anna.user.id };
    const answer = await users.call(deviceSessions.revokeOfMember, { params }, { as: anna.accessToken });
    expect(answer.body).toEqual({ ended: 1 });
    expect(await endedOf(sessionId)).toEqual([]);
  });

  it('finds no member of another organisation', async () => {
    const stranger = await staff.organisation();
    const params = { memberId: stranger.user.id };
    const answer = await users.call(deviceSessions.revokeOfMember, { params }, { as: anna.accessToken });
    expect(answer).toBeRefused(Absent);
    expect(await goesOn(stranger)).toBe(true);
  });
});

/** A session in another organisation, which is made if it is new; answers the session's id. */
async function signedInElsewhere(tenantId: string, personId = anna.user.id): Promise<string> {
  const sessionId = newId();
  const { sql } = users.database;
  await sql(
    `insert into organisation (tenant_id, name, base_currency, language, registered_at)
     values ($1, 'Oak', 'EUR', 'en', now()) on conflict do nothing`,
    [tenantId],
  );
  await staff.join(tenantId, personId);
  await sql(
    `insert into session (tenant_id, session_id, person_id, client, started_at, last_used_at, expires_at,
                          authenticated_at)
     values ($1, $2, $3, 'phone', now(), now(), now() + interval '7 days', now())`,
    [tenantId, sessionId, personId],
  );
  return sessionId;
}
