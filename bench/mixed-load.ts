import { setTimeout as sleep } from 'node:timers/promises';
import { accounts, journalEntries, reports } from '@marimo/contracts/accounting';
import { type identity, sessions } from '@marimo/contracts/users';
import { notifications } from '@marimo/contracts/workers';
import { freshMachine, startPlatformProcess } from '../scripts/start/platform-under-test.ts';
import { accountCodes, invoiceEntry } from './ledger/entries.ts';
import type { Result } from './result.ts';

const organisations = 10;
const entriesBefore = 2_000; // of each organisation
const perSecond = 200;
const seconds = 30;
const warmSeconds = 5;
const batchSize = 500;
const password = 'Quite-Long-And-Odd-7';

/** The administrator of an organisation, at work. */
interface Person {
  readonly email: string;
  session: identity.SignedIn;
  /** A token is good for one refresh, so they come one after the other. */
  refreshed: Promise<void>;
}

/** The body of an answer; throws when it is a refusal. */
type Ask = (method: string, path: string, body?: unknown, token?: string) => Promise<unknown>;

interface Kind {
  readonly name: string;
  /** Of a thousand requests. */
  readonly share: number;
  send(ask: Ask, person: Person): Promise<unknown>;
}

interface Taken {
  readonly kind: Kind;
  readonly ms: number;
}

const reading = (name: string, share: number, path: string): Kind => ({
  name,
  share,
  send: (ask, { session }) => ask('GET', path, undefined, session.accessToken),
});

let turn = 0;
const kinds: readonly Kind[] = [
  reading('own profile', 200, sessions.me.path),
  reading('chart of accounts', 200, `${accounts.list.path}?limit=200`),
  reading('notifications', 150, notifications.list.path),
  reading('latest entries', 100, `${journalEntries.list.path}?limit=50`),
  reading('trial balance', 50, `${reports.getTrialBalance.path}?from=2026-01-01&asOf=2026-06-30`),
  {
    name: 'post an entry',
    share: 250,
    send: (ask, { session }) =>
      ask('POST', journalEntries.post.path, invoiceEntry(++turn), session.accessToken),
  },
  {
    name: 'refresh a session',
    share: 45,
    send(ask, person) {
      person.refreshed = person.refreshed.then(async () => {
        const { refreshToken } = person.session;
        person.session = (await ask('POST', sessions.refresh.path, { refreshToken })) as identity.SignedIn;
      });
      return person.refreshed;
    },
  },
  {
    name: 'sign in',
    share: 5,
    send: (ask, { email }) => ask('POST', sessions.login.path, { email, password }),
  },
];

/** Everybody's work at once against all of the platform, started as a new user does, on the cores of this machine. */
export async function run(): Promise<Result> {
  const started = new AsyncDisposableStack();
  try {
    const machine = await freshMachine();
    started.defer(() => machine.remove());
    const limits = { RATE_LIMIT_REGISTER: '1000/s', RATE_LIMIT_LOGIN: '1000/s' }; // all people come from one address here
    const platform = await startPlatformProcess({ ...machine, env: limits });
    started.defer(async () => void (await platform.interrupt()));
    const ask = askerOf(platform.origin);
    const people: Person[] = [];
    for (let n = 0; n < organisations; n++) people.push(await founderOf(ask, n));
    await load(ask, people, warmSeconds);
    return report(await load(ask, people, seconds));
  } finally {
    await started.disposeAsync();
  }
}

function askerOf(origin: string): Ask {
  return async (method, path, body, token) => {
    const answer = await fetch(origin + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  };
}

/** With an organisation whose books are in use. */
async function founderOf(ask: Ask, n: number): Promise<Person> {
  const email = `founder-${n}@mixed.example`;
  const organisation = { organisation: `Mixed ${n}`, baseCurrency: 'RUB', language: 'en' };
  const session = (await ask('POST', sessions.register.path, {
    ...organisation,
    name: 'Anna Petrova',
    email,
    password,
  })) as identity.SignedIn;
  const post = (path: string, body: unknown) => ask('POST', path, body, session.accessToken);
  for (const code of accountCodes)
    await post(accounts.create.path, { code, name: `Account ${code}`, type: 'asset' });
  for (let posted = 0; posted < entriesBefore; posted += batchSize) {
    await post(journalEntries.postBatch.path, {
      entries: Array.from({ length: batchSize }, () => invoiceEntry(++turn)),
    });
  }
  return { email, session, refreshed: Promise.resolve() };
}

/** Requests fall due at random moments and wait for nobody; a late answer counts from when its request was due. */
async function load(ask: Ask, people: readonly Person[], forSeconds: number): Promise<readonly Taken[]> {
  const taken: Promise<Taken>[] = [];
  const endsAt = performance.now() + forSeconds * 1_000;
  let due = performance.now();
  while (due < endsAt) {
    const ahead = due - performance.now();
    if (ahead > 1) await sleep(ahead);
    const person = people[taken.length % people.length] as Person;
    taken.push(time(oneOf(kinds), due, (kind) => kind.send(ask, person)));
    due += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
  }
  return Promise.all(taken);
}

async function time(kind: Kind, due: number, work: (kind: Kind) => Promise<unknown>): Promise<Taken> {
  await work(kind);
  return { kind, ms: performance.now() - due };
}

function oneOf(choices: readonly Kind[]): Kind {
  let left = Math.random() * 1_000;
  const drawn = choices.find(({ share }) => {
    left -= share;
    return left < 0;
  });
  return drawn ?? (choices[0] as Kind);
}

function report(taken: readonly Taken[]): Result {
  const row = (name: string, of: readonly Taken[]) => {
    const sorted = of.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (part: number) => (sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN).toFixed(1);
    return {
      request: name,
      requests: of.length,
      'P50 ms': at(0.5),
      'P95 ms': at(0.95),
      'P99 ms': at(0.99),
      'longest ms': at(1),
    };
  };
  return {
    title: `Mixed load: ${perSecond} requests/s of ${organisations} organisations for ${seconds} s, everything in one process with its database`,
    rows: [
      row('all', taken),
      ...kinds.map((kind) =>
        row(
          kind.name,
          taken.filter((one) => one.kind === kind),
        ),
      ),
    ],
    notes: [
      'Wanted of all together: P50 50 ms, P95 200 ms, P99 500 ms. The load is made on the same cores.',
      'Signing in takes its time on purpose: that is what a guesser of passwords pays.',
    ],
  };
}
