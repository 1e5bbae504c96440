import { Absent, MalformedRequest, newId, StepUpRequired } from '@marimo/contracts';
import { apiKeys, type identity, serviceAccounts } from '@marimo/contracts/users';
import { as, keysUnderTest } from '../../../test/keys-under-test.ts';

const test = keysUnderTest();
const { clock } = test;
const minutes = 60_000;
const days = 24 * 60 * minutes;

let anna: identity.SignedIn;
beforeEach(() => {
  anna = test.anna;
});

const inDays = (count: number) => {
  const end = new Date(clock.now().getTime() + count * days);
  end.setMilliseconds(0);
  return end;
};

describe('creating an API key', () => {
  it('shows the secret once and stores nothing it could be derived from', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body } = await test.makeKey(anna, accountId, { name: 'Nightly import' });
    expect(body).toMatchObject({
      accountId,
      personId: null,
      scopes: ['accounting.*'],
      expiresAt: inDays(90),
    });
    const kept = JSON.stringify([
      await test.users.rows('api_key'),
      await test.users.rows('api_key_secret'),
      await test.users.events(),
    ]);
    expect(kept).not.toContain(body.key);
    expect(kept).not.toContain(body.key.slice(20));
    const { key: _, ...shown } = body;
    const listed = await test.users.call(
      apiKeys.listOfAccount,
      { params: { accountId }, query: {} },
      as(anna),
    );
    expect(listed.body.items).toEqual([shown]);
    expect(body.key.startsWith(shown.prefix)).toBe(true);
    expect(await test.eventsOf(body.keyId)).toMatchObject([
      { type: apiKeys.created.type, actorid: anna.user.id, data: { accountId, scopes: ['accounting.*'] } },
    ]);
  });

  it('cannot be repeated: the same id is refused with advice, and the first key stays', async () => {
    const keyId = newId();
    const first = await test.makeOwnKey(anna, { keyId });
    const again = await test.makeOwnKey(anna, { keyId });
    expect(again).toBeRefused(apiKeys.ApiKeyExists, { keyId });
    expect(again.problem?.detail).toMatch(/rotate.*revoke/);
    expect((await test.exchange(first.body)).status).toBe(200);
    expect(await test.eventsOf(keyId)).toHaveLength(1);
  });

  it('creates one key for many concurrent requests with one id', async () => {
    const keyId = newId();
    const answers = await Promise.all(Array.from({ length: 5 }, () => test.makeOwnKey(anna, { keyId })));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([
    ['no scope', { scopes: [] }],
    ['a scope that is no permission', { scopes: ['accounting'] }],
    ['a scope with a star inside', { scopes: ['accounting.*.read'] }],
    ['a life beyond a year', { lifeDays: 366 }],
    ['no life at all', { lifeDays: 0 }],
    ['an id that no token could carry', { keyId: '01920000-0000-f000-f000-00000000000a' }],
  ])('refuses %s', async (_, changes) => {
    expect(await test.makeOwnKey(anna, changes)).toBeRefused(MalformedRequest);
  });

  it('refuses a scope that names no permission', async () => {
    const scopes = ['accounting.acount.read', 'accounting.account.read', 'bank.*'];
    const answer = await test.makeOwnKey(anna, { scopes });
    expect(answer).toBeRefused(apiKeys.ScopeUnknown, { scopes: ['accounting.acount.read', 'bank.*'] });
  });

  it("refuses scopes beyond its owner's rights", async () => {
    const accountId = await test.account(anna, 'accountant');
    const scopes = ['accounting.account.read', 'users.member.read', '*'];
    const before = await test.users.rows('api_key');
    const facts = { scopes: ['users.member.read', '*'], beyond: 'owner' };
    expect(await test.makeKey(anna, accountId, { scopes })).toBeRefused(apiKeys.ScopeTooWide, facts);
    expect(await test.makeKey(anna, await test.account(anna), {})).toBeRefused(apiKeys.ScopeTooWide);
    expect(await test.users.rows('api_key')).toEqual(before);
  });

  it('refuses a key of an account, or a new secret of it, with more rights than the caller', async () => {
    const accountId = await test.account(anna, 'admin');
    const made = await test.makeKey(anna, accountId, { scopes: ['*'] });
    await test.ownRole(anna, 'programs', ['users.service-account.*']);
    const clerk = await test.withRole(anna, 'programs');
    const beyond = { scopes: ['accounting.*'], beyond: 'caller' };
    expect(await test.makeKey(clerk, accountId)).toBeRefused(apiKeys.ScopeTooWide, beyond);
    const { keyId } = made.body;
    const rotated = await test.users.call(
      apiKeys.rotateOfAccount,
      { params: { accountId, keyId }, body: {} },
      as(clerk),
    );
    expect(rotated).toBeRefused(apiKeys.ScopeTooWide, { scopes: ['*'], beyond: 'caller' });
    const own = await test.makeKey(clerk, accountId, { scopes: ['users.service-account.read'] });
    expect(own.status).toBe(201);
  });

  it('requires a recent proof of identity, which an API key cannot give', async () => {
    const accountId = await test.account(anna, 'admin');
    const { body } = await test.makeKey(anna, accountId, { scopes: ['*'] });
    const program = { as: (await test.exchange(body)).body.accessToken };
    const input = {
      params: { accountId },
      body: { keyId: newId(), name: 'Child', scopes: ['accounting.*'] },
    };
    expect(await test.users.call(apiKeys.createForAccount, input, program)).toBeRefused(StepUpRequired);
    const rotation = { params: { accountId, keyId: body.keyId }, body: {} };
    expect(await test.users.call(apiKeys.rotateOfAccount, rotation, program)).toBeRefused(StepUpRequired);
  });

  it('requires an enabled account', async () => {
    expect(await test.makeKey(anna, newId())).toBeRefused(Absent);
    const accountId = await test.account(anna, 'accountant');
    await test.users.call(serviceAccounts.disable, { params: { accountId } }, as(anna));
    expect(await test.makeKey(anna, accountId)).toBeRefused(serviceAccounts.ServiceAccountDisabled, {
      accountId,
    });
  });
});

describe('rotating an API key', () => {
  const rotate = (accountId: string, keyId: string, body: object = {}) =>
    test.users.call(apiKeys.rotateOfAccount, { params: { accountId, keyId }, body }, as(anna));

  it('returns a new secret, and the old one works for the requested overlap', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body: old } = await test.makeKey(anna, accountId);
    clock.advance(5 * minutes);
    const { body: fresh } = await rotate(accountId, old.keyId, { overlapMinutes: 60, lifeDays: 30 });
    expect(fresh).toMatchObject({ keyId: old.keyId, expiresAt: inDays(30) });
    expect(fresh.prefix).not.toBe(old.prefix);
    expect((await test.exchange(old)).status).toBe(200);
    expect((await test.exchange(fresh)).status).toBe(200);
    clock.advance(60 * minutes);
    expect((await test.exchange(old)).status).toBe(401);
    expect((await test.exchange(fresh)).status).toBe(200);
    expect((await test.eventsOf(old.keyId)).map(({ type }) => type)).toEqual([
      apiKeys.created.type,
      apiKeys.rotated.type,
    ]);
  });

  it('ends the old secret at once without an overlap', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body: old } = await test.makeKey(anna, accountId);
    const { body: fresh } = await rotate(accountId, old.keyId, { overlapMinutes: 0 });
    expect((await test.exchange(old)).status).toBe(401);
    expect((await test.exchange(fresh)).status).toBe(200);
  });

  it('repeated after a lost reply returns another secret, and does not extend the first one', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body: old } = await test.makeKey(anna, accountId);
    await rotate(accountId, old.keyId, { overlapMinutes: 30 });
    const { body: fresh } = await rotate(accountId, old.keyId, { overlapMinutes: 600 });
    clock.advance(30 * minutes);
    expect((await test.exchange(old)).status).toBe(401);
    expect((await test.exchange(fresh)).status).toBe(200);
  });

  it('accepts an overlap of at most 7 days', async () => {
    const { body } = await test.makeOwnKey(anna);
    const ask = (overlapMinutes: number) =>
      test.users.call(
        apiKeys.rotateOwn,
        { params: { keyId: body.keyId }, body: { overlapMinutes } },
        as(anna),
      );
    expect(await ask(7 * 24 * 60 + 1)).toBeRefused(MalformedRequest);
    expect((await ask(7 * 24 * 60)).status).toBe(200);
  });

  it('is refused for a key that has ended', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body: revoked } = await test.makeKey(anna, accountId);
    const { body: expired } = await test.makeKey(anna, accountId, { lifeDays: 1 });
    await test.users.call(apiKeys.revokeOfAccount, { params: { accountId, keyId: revoked.keyId } }, as(anna));
    clock.advance(days);
    anna = await test.signIn(anna.user.email);
    for (const { keyId } of [revoked, expired]) {
      expect(await rotate(accountId, keyId)).toBeRefused(apiKeys.ApiKeyEnded, { keyId });
    }
  });
});

describe('revoking an API key', () => {
  it('ends it at once, and can be repeated', async () => {
    const { body } = await test.makeOwnKey(anna);
    const input = { params: { keyId: body.keyId } };
    const first = await test.users.call(apiKeys.revokeOwn, input, as(anna));
    clock.advance(minutes);
    const again = await test.users.call(apiKeys.revokeOwn, input, as(anna));
    expect(first.body.revokedAt).not.toBeNull();
    expect(again.body).toEqual(first.body);
    expect((await test.exchange(body)).status).toBe(401);
    expect((await test.eventsOf(body.keyId)).map(({ type }) => type)).toEqual([
      apiKeys.created.type,
      apiKeys.revoked.type,
    ]);
  });
});

describe("another owner's key", () => {
  it("is not found: in another organisation, through another account, or among one's own", async () => {
    const boris = await test.organisation('Oak', 'Boris');
    const accountId = await test.account(anna, 'accountant');
    const other = await test.account(anna, 'accountant');
    const { body } = await test.makeKey(anna, accountId);
    const { keyId } = body;
    const query = {};
    for (const answer of [
      await test.makeKey(boris, accountId),
      await test.users.call(apiKeys.listOfAccount, { params: { accountId }, query }, as(boris)),
      await test.users.call(apiKeys.rotateOfAccount, { params: { accountId, keyId }, body: {} }, as(boris)),
      await test.users.call(apiKeys.revokeOfAccount, { params: { accountId, keyId } }, as(boris)),
      await test.users.call(apiKeys.revokeOfAccount, { params: { accountId: other, keyId } }, as(anna)),
      await test.users.call(apiKeys.rotateOwn, { params: { keyId }, body: {} }, as(anna)),
      await test.users.call(apiKeys.revokeOwn, { params: { keyId } }, as(anna)),
    ]) {
      expect(answer).toBeRefused(Absent);
    }
    expect((await test.users.call(apiKeys.listOwn, { query }, as(anna))).body.items).toEqual([]);
    expect((await test.exchange(body)).status).toBe(200);
  });
});

describe("the list of an owner's keys", () => {
  it('is newest first, paged, and includes ended keys', async () => {
    const made: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      made.unshift((await test.makeOwnKey(anna, { name })).body.keyId);
      clock.advance(1);
    }
    await test.users.call(apiKeys.revokeOwn, { params: { keyId: made[1] ?? '' } }, as(anna));
    const first = await test.users.call(apiKeys.listOwn, { query: { limit: 2 } }, as(anna));
    const after = first.body.next ?? '';
    const rest = await test.users.call(apiKeys.listOwn, { query: { limit: 2, after } }, as(anna));
    expect([...first.body.items, ...rest.body.items].map(({ keyId }) => keyId)).toEqual(made);
    expect(rest.body.next).toBeNull();
  });
});
