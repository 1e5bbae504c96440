import { fieldsOf, replacePersonal } from '@marimo/contracts';
import { contracts } from '@marimo/contracts/all';
import { type identity, personalData } from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { linked, published, tablesWith, theirs, traces } from '../../../test/traces.ts';
import { forgetOldLinks } from '../mail-links/index.ts';

// What the contracts mark as personal is what export shows and erasure removes.

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
const people = peopleOf(() => users, clock.now);
const workersKeepNothing = { call: async () => ({ status: 200, body: { emails: [], notifications: [] } }) };
beforeAll(async () => {
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), {
    as: null,
    clock: clock.now,
    client: workersKeepNothing as never,
  });
});
afterAll(() => users?.stop());

const wordOf = (path: string) =>
  path
    .replaceAll(/\[\]|\{\}/g, '')
    .split('.')
    .at(-1) ?? '';
const markedIn = (schemas: readonly Parameters<typeof fieldsOf>[0][]) =>
  new Set(
    schemas
      .flatMap((schema) => fieldsOf(schema).filter((field) => field.isPersonal))
      .map(({ path }) => wordOf(path)),
  );

/** Marked in other replies and events, and exported under another name. */
const exportedAs: Readonly<Record<string, string>> = {
  displayName: 'name',
  inviter: 'name',
};
/** Marked, and not exported. */
const notExported: Readonly<Record<string, string>> = {
  lastFailure:
    'what a mail server said of a mail: kept to operate the platform, and removed with the address',
};

it("personal data in any service's replies and events is part of the export", () => {
  const { users: own, workers } = contracts;
  const schemas = [own, workers].flatMap((contract) => [
    ...(contract?.events.map(({ data }) => data) ?? []),
    ...(contract?.endpoints.flatMap(({ replies }) => Object.values(replies)) ?? []),
  ]);
  const exported = markedIn([personalData.PersonalData]);
  const missing = [...markedIn(schemas)].filter(
    (word) => !exported.has(exportedAs[word] ?? word) && !(word in notExported),
  );
  expect(exported.size).toBeGreaterThan(5);
  expect(missing).toEqual([]);
});

/** All marked values in the export of a person. */
async function personalValuesOf({ accessToken: as }: identity.SignedIn): Promise<string[]> {
  const { json } = await users.call(personalData.exportMine, {}, { as });
  const values = new Set<string>();
  replacePersonal(personalData.PersonalData, json as never, (value, why) => {
    expect(why).toBe('personal');
    values.add(JSON.stringify(value).slice(1, -1));
    return null;
  });
  return [...values];
}

it('personal data in the export is in no table once the person is erased', async () => {
  const boris = await people.member(await people.organisation('Pine'));
  const { email, id } = boris.user;
  await users.database.sql("update person set name = 'Boris Godunov' where person_id = $1", [id]);
  await users.database.sql(
    "update session set client = 'Browser of Godunov', address = '203.0.113.77' where person_id = $1",
    [id],
  );
  await traces(users, boris, clock.now());
  await linked(users, boris, `Company ${theirs(boris)}`, clock.now());
  const values = await personalValuesOf(boris);
  expect(values).toEqual(
    expect.arrayContaining([
      email,
      'Boris Godunov',
      'Browser of Godunov',
      '203.0.113.77',
      `Laptop ${theirs(boris)}`,
    ]),
  );

  await users.call(personalData.eraseMe, { body: { email } }, { as: boris.accessToken });
  await published(users);
  clock.advance(60 * 60_000);
  await forgetOldLinks({ database: users.database.database, clock: clock.now } as never);
  for (const value of values) expect([value, await tablesWith(users, value)]).toEqual([value, []]);
});
