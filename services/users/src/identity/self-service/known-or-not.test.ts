import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { newId } from '@marimo/contracts';
import { founding, invitations, people, sessions } from '@marimo/contracts/users';
import bcrypt from 'bcrypt';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import { useUsers } from '../../../test/use-users.ts';

const wrong = 'wrong horse battery staple';
const users = useUsers();
const staff = peopleOf(() => users);
afterEach(() => jest.restoreAllMocks());

let count = 0;
/** An address of its own for each request: how many come from one is limited, and is not what is asked here. */
const from = () => {
  count += 1;
  return { 'x-forwarded-for': `10.2.${count >> 8}.${count & 255}` };
};

type Work = Readonly<Record<string, number>>;
type Ask = () => Promise<{ readonly status: number }>;

/** How many statements of each kind were sent to the database so far. */
async function statements(): Promise<Work> {
  const text = await (await fetch(`${users.url}/metrics`)).text();
  const found = [...text.matchAll(/^db_queries_total\{operation="(\w+)",outcome="done".*\} (\d+)$/gm)];
  return Object.fromEntries(found.map(([, operation, times]) => [operation, Number(times)]));
}

/** The same once nothing is under way any more, also of what comes after an answer: its events have left the outbox. */
async function statementsAtRest(): Promise<Work> {
  let before = await statements();
  for (;;) {
    await pause(20);
    const isWaiting = (await users.database.rows('outbox')).length > 0;
    const now = await statements();
    if (!isWaiting && isDeepStrictEqual(now, before)) return now;
    before = now;
  }
}

/** What costs: each statement, and each slow hash. */
async function workOf(ask: Ask): Promise<Work> {
  const hashes = [jest.spyOn(bcrypt, 'compare'), jest.spyOn(bcrypt, 'hash')];
  const before = await statementsAtRest();
  const { status } = await ask();
  const spent = beyond(await statementsAtRest(), before);
  const hashed = hashes.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  jest.restoreAllMocks();
  return { ...spent, hashed, status };
}

/** The least of some, because the service has work of its own beside. */
async function leastWorkOf(prepare: () => Promise<Ask>): Promise<Work> {
  const all: Work[] = [];
  for (let times = 0; times < 4; times += 1) all.push(await workOf(await prepare()));
  const [least] = all.sort((one, other) => sumOf(one) - sumOf(other));
  return least as Work;
}

function sumOf(work: Work): number {
  return Object.values(work).reduce((sum, times) => sum + times, 0);
}

/** What more was done in one case than in the other. */
function beyond(more: Work, less: Work): Work {
  const kinds = new Set([...Object.keys(more), ...Object.keys(less)]);
  const differences = [...kinds].map((kind) => [kind, (more[kind] ?? 0) - (less[kind] ?? 0)] as const);
  return Object.fromEntries(differences.filter(([, times]) => times !== 0));
}

const nobody = () => `${newId()}@example.com`;
const somebody = async () => (await staff.organisation()).user.email;
/** People who have no password, as with a provider. */
const withoutPassword = async () => {
  const { user } = await staff.organisation();
  await users.database.sql('update person set password_hash = null where person_id = $1', [user.id]);
  return user.email;
};

type Door = (email: string) => Ask;
const register = { organisation: 'Oak', password: wrong };
const signingIn: Readonly<Record<string, Door>> = {
  'signing in': (email) => () =>
    users.call(sessions.login, { body: { email, password: wrong } }, { headers: from() }),
  'registering with an account': (email) => () =>
    users.call(founding.registerWithAccount, { body: { ...register, email } }, { headers: from() }),
};
const askingFromOutside: Door = (email) => () =>
  users.call(people.askPasswordReset, { body: { email } }, { headers: from() });
/** Somebody new each time: one person may ask for few mails. */
const someone = async () => (await staff.organisation()).accessToken;
const fromWithin: Readonly<Record<string, (as: string, email: string) => Ask>> = {
  'asking for another address': (as, email) => () =>
    users.call(people.changeEmail, { body: { email } }, { as }),
  'inviting one': (as, email) => () => users.call(invitations.invite, { body: { email } }, { as }),
};

describe('the work for a known and an unknown address is the same', () => {
  it.each(Object.entries(signingIn))('on %s with a wrong password', async (_, door) => {
    const known = await leastWorkOf(async () => door(await somebody()));
    const unknown = await leastWorkOf(async () => door(nobody()));
    expect(unknown).toMatchObject({ status: 401, hashed: 1 });
    // After the answer: the audit of where its owner works is written, and sent on.
    expect(beyond(known, unknown)).toEqual({ insert: 1, select: 1, delete: 1, commit: 2 });
    expect(await leastWorkOf(async () => door(await withoutPassword()))).toEqual(known);
  });

  it('when asking for a new password', async () => {
    const known = await leastWorkOf(async () => askingFromOutside(await somebody()));
    const unknown = await leastWorkOf(async () => askingFromOutside(nobody()));
    expect(unknown).toMatchObject({ status: 202, hashed: 0, insert: 2 });
    // After the answer: the relay sends on what leads to the mail.
    expect(beyond(known, unknown)).toEqual({ select: 1, delete: 1, commit: 1 });
    expect(await leastWorkOf(async () => askingFromOutside(await withoutPassword()))).toEqual(unknown);
  });

  it.each(Object.entries(fromWithin))('on %s, from within', async (_, door) => {
    const known = await leastWorkOf(async () => door(await someone(), await somebody()));
    expect(known).toMatchObject({ hashed: 0 });
    expect(await leastWorkOf(async () => door(await someone(), nobody()))).toEqual(known);
  });
});
