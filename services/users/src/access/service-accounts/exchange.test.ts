import { Forbidden, Unauthenticated } from '@marimo/contracts';
import { endpointsByService } from '@marimo/contracts/all';
import { accessTokens, apiKeys, type identity, serviceAccounts, sessions } from '@marimo/contracts/users';
import { createOutbox } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import { claimsOf } from '../../../test/claims.ts';
import { as, keysUnderTest } from '../../../test/keys-under-test.ts';
import { endKeysOf, eraseKeysOf, getRightsOfAccount, keysOfPerson, voidKeyTokensOf } from './index.ts';

const test = keysUnderTest();
const { clock } = test;
const minutes = 60_000;
const days = 24 * 60 * minutes;

let anna: identity.SignedIn;
beforeEach(() => {
  anna = test.anna;
});

const ownKey = async (changes: object = {}) => (await test.makeOwnKey(anna, changes)).body;
const tokenOf = async (key: { key: string }) => (await test.exchange(key)).body.accessToken;
/** As every verifier will know it within seconds. */
const isVoid = async (token: string) => {
  const { sid, iat } = claimsOf(token);
  const { items } = (await test.users.call(accessTokens.listRevocations, { query: {} })).body;
  return items.some(({ sessionId, revokedAt }) => sessionId === sid && iat * 1_000 <= revokedAt.getTime());
};
const inTenant = <T>(work: (tx: Transaction) => Promise<T>) =>
  test.users.database.database.inTenant(anna.organisation.id, work);
const outbox = createOutbox({ service: 'users', clock: clock.now, onAdded: () => {} });

describe('exchanging an API key for a token', () => {
  it("grants a service account what both its roles and the key's scopes allow", async () => {
    const accountId = await test.account(anna, 'accountant');
    const scopes = ['accounting.account.*', 'accounting.journal-entry.read'];
    const { body } = await test.makeKey(anna, accountId, { scopes });
    expect(claimsOf(await tokenOf(body))).toMatchObject({
      sub: accountId,
      tid: anna.organisation.id,
      roles: [],
      grants: ['accounting.account.*', 'accounting.journal-entry.read'],
      auth_time: 0,
      amr: [],
    });
  });

  it("grants a person what both their rights and the key's scopes allow", async () => {
    const key = await ownKey({ scopes: ['users.service-account.read'] });
    const token = await tokenOf(key);
    expect(claimsOf(token)).toMatchObject({ sub: anna.user.id, grants: ['users.service-account.read'] });
    expect((await test.users.call(sessions.me, {}, { as: token })).body.user.id).toBe(anna.user.id);
    expect((await test.users.call(serviceAccounts.list, { query: {} }, { as: token })).status).toBe(200);
    const narrow = await tokenOf(await ownKey({ scopes: ['accounting.*'] }));
    expect(await test.users.call(serviceAccounts.list, { query: {} }, { as: narrow })).toBeRefused(Forbidden);
  });

  it("follows the owner's roles: a revoked role is missing from the next token", async () => {
    const accountId = await test.account(anna, 'accountant', 'agent');
    const { body } = await test.makeKey(anna, accountId, { scopes: ['accounting.*'] });
    expect(claimsOf(await tokenOf(body)).grants).toEqual(['accounting.*']);
    await test.users.database.sql(
      `update role_assignment set revoked_at = now() where account_id = $1 and role = 'accountant'`,
      [accountId],
    );
    expect(claimsOf(await tokenOf(body)).grants).toEqual([]);
  });

  it("includes the grants of the organisation's own roles", async () => {
    await test.ownRole(anna, 'importer', ['accounting.journal-entry.post', 'users.member.read']);
    const accountId = await test.account(anna, 'importer');
    const { body } = await test.makeKey(anna, accountId, { scopes: ['accounting.journal-entry.post'] });
    expect(claimsOf(await tokenOf(body)).grants).toEqual(['accounting.journal-entry.post']);
  });

  it('gives a token of fifteen minutes that never outlives its key', async () => {
    const key = await ownKey({ lifeDays: 1 });
    expect((await test.exchange(key)).body.expiresIn).toBe(900);
    clock.advance(days - 5 * minutes - 1_500);
    const { exp } = claimsOf(await tokenOf(key));
    expect(exp * 1_000).toBeLessThanOrEqual(key.expiresAt.getTime());
    clock.advance(5 * minutes + 1_500);
    expect(await test.exchange(key)).toBeRefused(apiKeys.ApiKeyRefused);
  });

  it("gives a token that never outlives the next change of its owner's roles", async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body } = await test.makeKey(anna, accountId);
    const end = new Date(Math.floor(clock.now().getTime() / 1_000) * 1_000 + 4 * minutes);
    await test.users.database.sql('update role_assignment set valid_until = $2 where account_id = $1', [
      accountId,
      end,
    ]);
    expect(claimsOf(await tokenOf(body)).exp * 1_000).toBe(end.getTime());
  });

  it('of a replaced secret gives a token that does not outlive that secret', async () => {
    const key = await ownKey();
    const input = { params: { keyId: key.keyId }, body: { overlapMinutes: 5 } };
    const before = await tokenOf(key);
    await test.users.call(apiKeys.rotateOwn, input, as(anna));
    expect(await isVoid(before)).toBe(true); // it would have outlived the overlap
    clock.advance(1);
    const { exp } = claimsOf(await tokenOf(key));
    expect(exp * 1_000).toBeLessThanOrEqual(clock.now().getTime() + 5 * minutes);
  });

  it('gives the same refusal for everything that can be wrong with a key', async () => {
    const [revoked, expired] = [await ownKey(), await ownKey({ lifeDays: 1 })];
    await test.users.call(apiKeys.revokeOwn, { params: { keyId: revoked.keyId } }, as(anna));
    clock.advance(days);
    const unknown = apiKeys.apiKeyOf(Buffer.alloc(54, 7).toString('base64url'));
    const mistyped = `${revoked.key.slice(0, -1)}${revoked.key.endsWith('0') ? '1' : '0'}`;
    const answers = [];
    for (const key of [
      revoked.key,
      expired.key,
      unknown,
      mistyped,
      'mk_',
      'Пароль',
      anna.accessToken.slice(0, 400),
    ]) {
      const answer = await test.exchange(key);
      expect(answer).toBeRefused(apiKeys.ApiKeyRefused);
      const { requestId: _, ...said } = answer.problem ?? {};
      answers.push(said);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('is required: services refuse the key itself', async () => {
    const { key } = await ownKey({ scopes: ['*'] });
    expect(await test.users.call(sessions.me, {}, { as: key })).toBeRefused(Unauthenticated);
  });

  it("gives no control over the owner's account, whatever the scopes", async () => {
    const token = await tokenOf(await ownKey({ scopes: ['*'] }));
    const ask = async (method: string, path: string, headers: Record<string, string>) => {
      const body = method === 'DELETE' ? null : '{}';
      const content = { 'content-type': 'application/json' };
      const address = test.users.url + path.replaceAll(/\{\w+\}/g, anna.user.id);
      return (await fetch(address, { method, headers: { ...content, ...headers }, body })).status;
    };
    let seen = 0;
    for (const { method, path, access } of endpointsByService['users'] ?? []) {
      if (access !== 'signed-in' || method === 'GET' || (await ask(method, path, {})) === 404) continue;
      seen += 1;
      const status = await ask(method, path, { authorization: `Bearer ${token}` });
      expect({ path, closed: [401, 403].includes(status) }).toEqual({ path, closed: true });
    }
    expect(seen).toBeGreaterThan(5);
  });

  it('is shown in the list of keys with time and address, also when the gateway exchanged it', async () => {
    const key = await ownKey();
    await test.exchange(key, '10.1.1.1');
    const usedAt = clock.now();
    const listed = async () =>
      (await test.users.call(apiKeys.listOwn, { query: {} }, as(anna))).body.items[0];
    expect(await listed()).toMatchObject({ lastUsedAt: usedAt, lastUsedFrom: '10.1.1.1' });
    clock.advance(minutes);
    const body = { key: key.key, address: '203.0.113.7' };
    const asked = await test.users.call(apiKeys.exchangeOf, { body });
    expect(claimsOf(asked.body.accessToken).sub).toBe(anna.user.id);
    expect(await listed()).toMatchObject({ lastUsedFrom: '203.0.113.7' });
    const asProgram = { as: asked.body.accessToken };
    expect(await test.users.call(apiKeys.exchangeOf, { body }, asProgram)).toBeRefused(Unauthenticated);
    const asWorkers = { asService: 'workers' } as const;
    expect(await test.users.call(apiKeys.exchangeOf, { body }, asWorkers)).toBeRefused(Forbidden);
  });
});

describe('rotating a key under load', () => {
  it('fails no request: one of the two secrets always gets a token', async () => {
    const old = await ownKey();
    let current = old;
    const program = async () => {
      const statuses: number[] = [];
      for (let n = 0; n < 8; n++) statuses.push((await test.exchange(current)).status);
      return statuses;
    };
    const rotation = async () => {
      const input = { params: { keyId: old.keyId }, body: { overlapMinutes: 1 } };
      current = (await test.users.call(apiKeys.rotateOwn, input, as(anna))).body;
    };
    const [, ...statuses] = await Promise.all([rotation(), ...Array.from({ length: 6 }, program)]);
    expect(new Set(statuses.flat())).toEqual(new Set([200]));
    expect(current.key).not.toBe(old.key);
    clock.advance(minutes);
    expect((await test.exchange(old)).status).toBe(401);
    expect((await test.exchange(current)).status).toBe(200);
  });
});

describe('the tokens of a key become void everywhere', () => {
  it('when it is revoked', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body } = await test.makeKey(anna, accountId);
    const token = await tokenOf(body);
    expect(await isVoid(token)).toBe(false);
    await test.users.call(apiKeys.revokeOfAccount, { params: { accountId, keyId: body.keyId } }, as(anna));
    expect(await isVoid(token)).toBe(true);
  });

  it('when its account is disabled; earlier tokens stay void after enabling it', async () => {
    const accountId = await test.account(anna, 'accountant');
    const { body } = await test.makeKey(anna, accountId);
    const token = await tokenOf(body);
    await test.users.call(serviceAccounts.disable, { params: { accountId } }, as(anna));
    expect(await isVoid(token)).toBe(true);
    expect(await test.exchange(body)).toBeRefused(apiKeys.ApiKeyRefused);
    clock.advance(1);
    await test.users.call(serviceAccounts.enable, { params: { accountId } }, as(anna));
    const fresh = await tokenOf(body);
    expect([await isVoid(token), await isVoid(fresh)]).toEqual([true, false]);
  });

  it('also those issued while the revocation waited for a lock', async () => {
    const key = await ownKey();
    const begun = clock.now();
    clock.advance(5);
    const token = await tokenOf(key); // younger than the moment the other has in hand
    await inTenant((tx) => endKeysOf(tx, outbox, { personId: anna.user.id }, begun));
    expect(await isVoid(token)).toBe(true);
  });

  it('whichever of an exchange and a revocation comes first', async () => {
    for (let round = 0; round < 10; round++) {
      const key = await ownKey();
      const [answer] = await Promise.all([
        test.exchange(key),
        test.users.call(apiKeys.revokeOwn, { params: { keyId: key.keyId } }, as(anna)),
      ]);
      if (answer.status === 200) expect(await isVoid(answer.body.accessToken)).toBe(true);
      expect(await test.exchange(key)).toBeRefused(apiKeys.ApiKeyRefused);
    }
  });
});

describe('ending keys from other slices', () => {
  it('ends those of a person, of an account or of the whole organisation, and publishes each', async () => {
    const accountId = await test.account(anna, 'accountant');
    const own = await ownKey();
    const ofAccount = (await test.makeKey(anna, accountId)).body;
    const boris = await test.organisation('Oak', 'Boris');
    const elsewhere = (await test.makeOwnKey(boris)).body;
    const end = (whose: Parameters<typeof endKeysOf>[2]) =>
      inTenant((tx) => endKeysOf(tx, outbox, whose, clock.now()));

    expect(await end({ personId: anna.user.id })).toBe(1);
    expect(await test.exchange(own)).toBeRefused(apiKeys.ApiKeyRefused);
    expect((await test.exchange(ofAccount)).status).toBe(200);
    expect(await end({ accountId })).toBe(1);
    expect(await test.exchange(ofAccount)).toBeRefused(apiKeys.ApiKeyRefused);
    const [one, two] = [await ownKey(), (await test.makeKey(anna, accountId)).body];
    expect(await end({ all: true })).toBe(2);
    for (const key of [one, two]) expect(await test.exchange(key)).toBeRefused(apiKeys.ApiKeyRefused);
    expect((await test.exchange(elsewhere)).status).toBe(200);
    for (const { keyId } of [own, ofAccount, one, two]) {
      expect((await test.eventsOf(keyId)).at(-1)?.type).toBe(apiKeys.revoked.type);
    }
  });

  it.each([
    ['a member is suspended', `update member set state = 'suspended' where person_id = $1`, 'person'],
    ['a member has left', `update member set state = 'left' where person_id = $1`, 'person'],
    [
      'the organisation is suspended',
      `update organisation set state = 'suspended' where tenant_id = $1`,
      'tenant',
    ],
  ])('takes effect at once: when %s, none of their keys gets a token', async (_, sql, whose) => {
    const key = await ownKey();
    await test.users.database.sql(sql, [whose === 'person' ? anna.user.id : anna.organisation.id]);
    expect(await test.exchange(key)).toBeRefused(apiKeys.ApiKeyRefused);
  });

  it('voids tokens and keeps the key when only rights changed', async () => {
    const key = await ownKey();
    const token = await tokenOf(key);
    await inTenant((tx) => voidKeyTokensOf(tx, { personId: anna.user.id }, clock.now()));
    expect(await isVoid(token)).toBe(true);
    clock.advance(1);
    expect(await isVoid(await tokenOf(key))).toBe(false);
  });

  it("exports a person's keys, and erases them with the person", async () => {
    const key = await ownKey({ name: 'My phone' });
    await test.exchange(key, '203.0.113.7');
    const kept = () => inTenant((tx) => keysOfPerson(tx, anna.user.id));
    expect(await kept()).toMatchObject([{ name: 'My phone', lastUsedFrom: '203.0.113.7' }]);
    await inTenant((tx) => eraseKeysOf(tx, outbox, anna.user.id, clock.now()));
    expect(await kept()).toMatchObject([{ name: '', lastUsedFrom: null }]);
    expect(await test.exchange(key)).toBeRefused(apiKeys.ApiKeyRefused);
  });

  it("gives an account's rights, and none for a disabled one", async () => {
    const accountId = await test.account(anna, 'accountant');
    const rights = () => inTenant((tx) => getRightsOfAccount(tx, accountId, clock.now()));
    expect(await rights()).toMatchObject({ roles: ['accountant'], grants: [], rightsChangeAt: null });
    await test.users.call(serviceAccounts.disable, { params: { accountId } }, as(anna));
    expect(await rights()).toBeUndefined();
  });
});
