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

describe('making an API key', () => {
  it('shows its secret once and keeps nothing from which it could be made', async () => {
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

  it('is not repeated: the same id is a conflict that says what to do, and the first key stays', async () => {
    const keyId = newId();
    const first = await test.makeOwnKey(anna, { keyId });
    const again = await test.makeOwnKey(anna, { keyId });
    expect(again).toBeRefused(apiKeys.ApiKeyExists, { keyId });
    expect(again.problem?.detail).toMatch(/rotate.*revoke/);
    expect((await test.exchange(first.body)).status).toBe(200);
    expect(await test.eventsOf(keyId)).toHaveLength(1);
  });

  it('makes one of many that ask at once with one id', async () => {
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
  ])('is refused with %s', async (_, changes) => {
    expect(await test.makeOwnKey(anna, changes)).toBeRefused(MalformedRequest);
  });

  it('is refused for a scope that names no permission, which is most likely misspelt', async () => {
    const scopes = ['accounting.acount.read', 'accounting.account.read', 'bank.*'];
    const answer = await test.makeOwnKey(anna, { scopes });
    expect(answer).toBeRefused(apiKeys.ScopeUnknown, { scopes: ['accounting.acount.read', 'bank.*'] });
  });

  it('gives no key more than its owner may do', async () => {
    const accountId = await test.account(anna, 'accountant');
    const scopes = ['accounting.account.read', 'users.member.read', '*'];
    const before = await test.users.rows('api_key');
    const facts = { scopes: ['users.member.read', '*'], beyond: 'owner' };
    expect(await test.makeKey(anna, accountId, { scopes })).toBeRefused(apiKeys.ScopeTooWide, facts);
    expect(await test.makeKey(anna, await test.account(anna), {})).toBeRefused(apiKeys.ScopeTooWide);
    expect(await test.users.rows('api_key')).toEqual(before);
  });

  it('gives no key of an account more than its maker may do, and no new secret of such a key', async () => {
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

  it('wants a recent proof of identity, which no key can give', async () => {
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

  it('needs an account that is there and enabled', async () => {
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

  it('gives a new secret, and the old one works beside it as long as was said', async () => {
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

  it('without an overlap ends the old secret at once', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body: old } = await test.makeKey(anna, accountId);
    const { body: fresh } = await rotate(accountId, old.keyId, { overlapMinutes: 0 });
    expect((await test.exchange(old)).status).toBe(401);
    expect((await test.exchange(fresh)).status).toBe(200);
  });

  it('again after a lost answer gives another secret, and does not lengthen the life of the first', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body: old } = await test.makeKey(anna, accountId);
    await rotate(accountId, old.keyId, { overlapMinutes: 30 });
    const { body: fresh } = await rotate(accountId, old.keyId, { overlapMinutes: 600 });
    clock.advance(30 * minutes);
    expect((await test.exchange(old)).status).toBe(401);
    expect((await test.exchange(fresh)).status).toBe(200);
  });

  it('takes an overlap of 7 days and no more', async () => {
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

  it('does not bring back a key that has ended', async () => {
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
  it('ends it at once; again changes nothing', async () => {
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

describe("somebody else's key", () => {
  it('is not there: not for another organisation, not by another account, not among the own ones', async () => {
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

describe('the keys of one owner', () => {
  it('are listed newest first, page by page, also those that have ended', async () => {
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
