import { accounts, journalEntries, reports } from '@marimo/contracts/accounting';
import { type identity, sessions } from '@marimo/contracts/users';
import { notifications } from '@marimo/contracts/workers';
import { accountCodes, invoices } from './ledger/entries.ts';
import {
  type Ask,
  atRate,
  founderOf,
  type Person,
  password,
  percentile,
  startPlatformAtWork,
} from './platform/people.ts';
import type { Result } from './result.ts';

const organisations = 10;
const entriesBefore = 2_000; // of each organisation
const perSecond = 200;
const seconds = 30;
const warmSeconds = 5;
const batchSize = 500;

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
  send: (ask, { session }) => ask({ method: 'GET', path }, { token: session.accessToken }),
});

/** A token is good for one refresh, so those of a person come one after the other. */
const refreshed = new WeakMap<Person, Promise<void>>();

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
      ask(journalEntries.post, { body: invoices(1)[0], token: session.accessToken }),
  },
  {
    name: 'refresh a session',
    share: 45,
    send(ask, person) {
      const next = (refreshed.get(person) ?? Promise.resolve()).then(async () => {
        const body = { refreshToken: person.session.refreshToken };
        person.session = await ask<identity.SignedIn>(sessions.refresh, { body });
      });
      refreshed.set(person, next);
      return next;
    },
  },
  {
    name: 'sign in',
    share: 5,
    send: (ask, { email }) => ask(sessions.login, { body: { email, password } }),
  },
];

/** Everybody's work at once against all of the platform, started as a new user does, on the cores of this machine. */
export async function run(): Promise<Result> {
  const platform = await startPlatformAtWork(['REGISTER', 'LOGIN']); // all people come from one address here
  try {
    const { ask } = platform;
    const people: Person[] = [];
    for (let n = 0; n < organisations; n++) people.push(await personAtWork(ask, n));
    await load(ask, people, warmSeconds);
    return report(await load(ask, people, seconds));
  } finally {
    await platform.stop();
  }
}

/** With an organisation whose books are in use. */
async function personAtWork(ask: Ask, n: number): Promise<Person> {
  const person = await founderOf(ask, `mixed-${n}`, accountCodes);
  const token = person.session.accessToken;
  for (let posted = 0; posted < entriesBefore; posted += batchSize)
    await ask(journalEntries.postBatch, { token, body: { entries: invoices(batchSize) } });
  return person;
}

async function load(ask: Ask, people: readonly Person[], forSeconds: number): Promise<readonly Taken[]> {
  const taken = await atRate(perSecond, forSeconds, async (turn) => {
    const kind = oneOf(kinds);
    await kind.send(ask, people[turn % people.length] as Person);
    return kind;
  });
  return taken.map(({ result, ms }) => ({ kind: result, ms }));
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
    const at = (part: number) =>
      percentile(
        of.map(({ ms }) => ms),
        part,
      ).toFixed(1);
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
