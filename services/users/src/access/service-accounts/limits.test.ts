import { newId } from '@marimo/contracts';
import { apiKeys, type identity, limits, serviceAccounts } from '@marimo/contracts/users';
import { as, keysUnderTest } from '../../../test/keys-under-test.ts';
import { statusesOf } from '../../../test/race.ts';

const test = keysUnderTest();
const { clock } = test;
const aDay = 24 * 60 * 60_000;

let anna: identity.SignedIn;
beforeEach(() => {
  anna = test.anna;
});

describe('the number of API keys of an owner', () => {
  const most = limits.mostAtATime.apiKeys;
  const fill = async (count: number, changes: object = {}) => {
    for (let n = 0; n < count; n += 1) expect((await test.makeOwnKey(anna, changes)).status).toBe(201);
  };

  it('is at most twenty, also with concurrent requests, for each owner', async () => {
    await fill(most - 1);
    const answers = await Promise.all([1, 2, 3].map(() => test.makeOwnKey(anna)));
    expect(statusesOf(answers)).toEqual([201, 422, 422]);
    const before = await test.users.rows('api_key');
    expect(await test.makeOwnKey(anna)).toBeRefused(limits.LimitReached, { limited: 'apiKeys', most });
    expect(await test.users.rows('api_key')).toEqual(before);
    expect((await test.makeKey(anna, await test.account(anna, 'accountant'))).status).toBe(201);
  });

  it('counts working keys: revoked and expired ones free a place', async () => {
    await fill(1, { lifeDays: 1 });
    await fill(most - 2);
    const keyId = newId();
    await fill(1, { keyId });
    await test.users.call(apiKeys.revokeOwn, { params: { keyId } }, as(anna));
    await fill(1);
    expect(await test.makeOwnKey(anna)).toBeRefused(limits.LimitReached);
    clock.advance(aDay);
    anna = await test.signIn(anna.user.email);
    await fill(1);
  });

  it('is checked after the id: a repeated id is refused as a conflict', async () => {
    const keyId = newId();
    await fill(most - 1);
    await fill(1, { keyId });
    expect(await test.makeOwnKey(anna, { keyId })).toBeRefused(apiKeys.ApiKeyExists, { keyId });
  });
});

describe('the number of service accounts of an organisation', () => {
  const most = limits.mostAtATime.serviceAccounts;
  const create = (accountId = newId()) =>
    test.users.call(serviceAccounts.create, { body: { accountId, name: 'Robot' } }, as(anna));
  const enable = (accountId: string) =>
    test.users.call(serviceAccounts.enable, { params: { accountId } }, as(anna));
  const fill = (count: number) =>
    test.users.database.sql(
      `insert into service_account (tenant_id, account_id, name, created_at, created_by)
       select $1, gen_random_uuid(), 'Robot', $3, $2 from generate_series(1, $4)`,
      [anna.organisation.id, anna.user.id, clock.now(), count],
    );

  it('is at most two hundred enabled ones, also with concurrent requests', async () => {
    await fill(most - 1);
    const ids = [newId(), newId(), newId()];
    const answers = await Promise.all(ids.map((id) => create(id)));
    expect(statusesOf(answers)).toEqual([201, 422, 422]);
    expect(await create()).toBeRefused(limits.LimitReached, { limited: 'serviceAccounts', most });
    const made = ids[answers.findIndex(({ status }) => status === 201)];
    expect((await create(made)).status).toBe(200);
  });

  it('goes down when one is disabled, and is checked when it is enabled', async () => {
    const first = (await create()).body.accountId;
    await test.users.call(serviceAccounts.disable, { params: { accountId: first } }, as(anna));
    await fill(most - 1);
    const answers = await Promise.all([enable(first), create()]);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(1);
    const enabled = await test.users.database.sql(
      'select account_id from service_account where tenant_id = $1 and disabled_at is null',
      [anna.organisation.id],
    );
    expect(enabled).toHaveLength(most);
    expect((await enable(first)).status).toBe(answers[0].status);
  });
});
