import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { asAdministrator } from '@marimo/postgres';
import { requireInfra } from '@marimo/testing';
import type { ClusterInstance } from '../cluster.ts';
import { cluster } from '../shared-cluster.ts';

const password = 'Quite-Long-And-Odd-7';
/** Promised are five seconds; a busy machine may be late in asking. */
const giveUpAfterMs = 20_000;
/** At each service something that everybody who is signed in may ask. */
const doors = {
  users: '/api/v1/users/me',
  accounting: '/api/v1/accounting/chart-templates',
  workers: '/api/v1/workers/notifications',
  gateway: '/api/v1/users/me',
} as const;

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}
interface Somebody extends Tokens {
  readonly id: string;
  readonly email: string;
}

/** What ends a right, and the token that is void then. */
interface Ending {
  readonly what: string;
  readonly token: string;
  readonly end: () => Promise<unknown>;
}

let count = 0;
/** Asks the gateways in turn; what does not go well is a mistake of this test. */
async function ask<T = unknown>(path: string, body: unknown, token = '', method = 'POST'): Promise<T> {
  count += 1;
  const answer = await fetch(`${cluster.origins[count % 2]}/api/v1/users/${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token !== '' && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
const signIn = (email: string) => ask<Tokens>('login', { email, password });

async function administratorOf(organisation: string) {
  const email = `${newId()}@example.com`;
  const body = { organisation, name: 'Anna', email, password };
  const signedIn = await ask<Tokens & { user: { id: string }; organisation: { id: string } }>(
    'register',
    body,
  );
  return { ...signedIn, id: signedIn.user.id, tenantId: signedIn.organisation.id, email };
}
type Administrator = Awaited<ReturnType<typeof administratorOf>>;

/** Planted, not invited: with the administrator's password, signed in. */
async function memberOf(admin: Administrator): Promise<Somebody> {
  const id = newId();
  const email = `${id}@example.com`;
  const { env } = cluster.surroundings;
  const server = {
    host: env['DB_HOST'] ?? '',
    port: Number(env['DB_PORT']),
    user: env['DB_USER'] ?? '',
    password: env['DB_PASSWORD'] ?? '',
    database: env['DB_NAME'] ?? '',
  };
  await asAdministrator(server, async (client) => {
    const both = [admin.tenantId, id];
    await client.query('set search_path to users'); // as its triggers expect
    await client.query(
      `insert into person
              (person_id, email, email_key, name, language, password_hash, last_tenant_id, last_seen_at)
       select $2, $3, $3, 'Boris', language, password_hash, $1, now() from person where person_id = $4`,
      [...both, email, admin.id],
    );
    await client.query('insert into member (tenant_id, person_id, joined_at) values ($1, $2, now())', both);
    await client.query(
      'insert into member_period (tenant_id, person_id, began_at) values ($1, $2, now())',
      both,
    );
    await client.query('insert into workplace (tenant_id, person_id) values ($1, $2)', both);
  });
  return { id, email, ...(await signIn(email)) };
}

async function assign(admin: Administrator, memberId: string, role: string): Promise<string> {
  const assignmentId = newId();
  await ask('role-assignments', { assignmentId, memberId, role }, admin.accessToken);
  return assignmentId;
}

/** Each with somebody of its own, signed in, before any of them is ended. */
async function endings(): Promise<readonly Ending[]> {
  const admin = await administratorOf('Pine');
  const oak = await administratorOf('Oak');
  const by = admin.accessToken;
  const ofMember = async (what: string, end: (who: Somebody) => Promise<unknown>): Promise<Ending> => {
    const who = await memberOf(admin);
    return { what, token: who.accessToken, end: () => end(who) };
  };
  const made: Ending[] = [
    await ofMember('signing out', ({ refreshToken }) => ask('logout', { refreshToken })),
    await ofMember('ending it from another session', async ({ email }) =>
      ask('me/sessions/revoke', { which: 'others' }, (await signIn(email)).accessToken),
    ),
    await ofMember('another password', async ({ email }) => {
      const { accessToken } = await signIn(email);
      return ask('me/password', { current: password, new: `${password}-8` }, accessToken);
    }),
    await ofMember('an administrator who ends sessions', ({ id }) =>
      ask(`members/${id}/sessions/revoke`, undefined, by),
    ),
    await ofMember('suspension', ({ id }) => ask(`members/${id}/suspend`, undefined, by)),
    await ofMember('removal', ({ id }) => ask(`members/${id}/remove`, undefined, by)),
    await ofMember('leaving', ({ accessToken }) => ask('organisation/leave', undefined, accessToken)),
    await ofMember('a role that is given', ({ id }) => assign(admin, id, 'agent')),
    await ofMember('erasing oneself', ({ accessToken, email }) => ask('me/erase', { email }, accessToken)),
    await ofMember('a copy of a refresh token', async ({ refreshToken }) => {
      await ask('refresh', { refreshToken });
      const headers = { 'content-type': 'application/json', 'user-agent': 'another' };
      const init = { method: 'POST', headers, body: JSON.stringify({ refreshToken }) };
      expect((await fetch(`${cluster.origins[0]}/api/v1/users/refresh`, init)).status).toBe(401);
    }),
    { what: 'an organisation that is suspended', ...(await whenSuspended(oak)) },
  ];
  return [...made, ...(await ofRoles(admin)), ...(await ofKeys(admin))];
}

async function whenSuspended(oak: Administrator): Promise<Omit<Ending, 'what'>> {
  const { accessToken: token } = await memberOf(oak);
  return { token, end: () => ask('organisation/suspend', undefined, oak.accessToken) };
}

async function ofRoles(admin: Administrator): Promise<Ending[]> {
  const by = admin.accessToken;
  const name = 'checker';
  await ask('roles', { name, title: 'Own', grants: ['accounting.report.read'] }, by);
  const [one, other] = [await memberOf(admin), await memberOf(admin)];
  const id = await assign(admin, one.id, 'accountant');
  await assign(admin, other.id, name);
  const { accessToken: withRole } = await signIn(one.email);
  const { accessToken: withOwnRole } = await signIn(other.email);
  const grants = ['accounting.account.read'];
  return [
    {
      what: 'a role that is taken back',
      token: withRole,
      end: () => ask(`role-assignments/${id}/revoke`, {}, by),
    },
    {
      what: 'a role that changes',
      token: withOwnRole,
      end: () => ask(`roles/${name}`, { grants }, by, 'PATCH'),
    },
  ];
}

async function ofKeys(admin: Administrator): Promise<Ending[]> {
  const by = admin.accessToken;
  const programs = await Promise.all(
    [newId(), newId()].map(async (accountId) => {
      await ask('service-accounts', { accountId, name: accountId }, by);
      const assigned = { assignmentId: newId(), serviceAccountId: accountId, role: 'accountant' };
      await ask('role-assignments', assigned, by);
      const wanted = { keyId: newId(), name: 'Key', scopes: ['accounting.account.read'] };
      const { key } = await ask<{ key: string }>(`service-accounts/${accountId}/keys`, wanted, by);
      const { accessToken } = await ask<Tokens>('api-key-tokens', { key });
      return { accountId, keyId: wanted.keyId, token: accessToken };
    }),
  );
  const [one, other] = programs as [(typeof programs)[number], (typeof programs)[number]];
  const revoke = `service-accounts/${one.accountId}/keys/${one.keyId}/revoke`;
  const disable = `service-accounts/${other.accountId}/disable`;
  return [
    { what: 'an API key that is revoked', token: one.token, end: () => ask(revoke, undefined, by) },
    {
      what: 'a service account that is disabled',
      token: other.token,
      end: () => ask(disable, undefined, by),
    },
  ];
}

async function statusAt({ origin, service }: ClusterInstance, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(origin + doors[service as keyof typeof doors], { headers });
  await answer.arrayBuffer();
  return answer.status;
}

function statusesFor(token: string): Promise<readonly number[]> {
  return Promise.all(cluster.instances.map((instance) => statusAt(instance, token)));
}

/**
 * How it is answered everywhere once all say 401, or when the time is over. Waits for one instance after the other: asking all
 * of them for all tokens would take the processor from those that have to hear of it.
 */
async function afterwards(token: string): Promise<readonly number[]> {
  const giveUpAt = Date.now() + giveUpAfterMs;
  for (const instance of cluster.instances) {
    while ((await statusAt(instance, token)) !== 401 && Date.now() < giveUpAt) await sleep(250);
  }
  return statusesFor(token);
}

async function allOfThemVoid(all: readonly Ending[]): Promise<void> {
  // 403 where a program may not ask: what matters is that it was believed.
  for (const { what, token } of all) {
    expect([what, (await statusesFor(token)).includes(401)]).toEqual([what, false]);
  }
  const ended = all.map(async ({ what, token, end }) => {
    await end();
    expect([what, await afterwards(token)]).toEqual([what, cluster.instances.map(() => 401)]);
  });
  await Promise.all(ended);
}

requireInfra('consul')('with two of each service, a token is soon void at every one of them', () => {
  beforeAll(() => cluster.untilKnown());

  it('whatever ends it', async () => {
    await allOfThemVoid(await endings());
  });

  it('whatever ends it, also while Redis is gone', async () => {
    const all = await endings();
    await cluster.surroundings.redis.kill();
    try {
      await allOfThemVoid(all);
    } finally {
      await cluster.surroundings.redis.restart();
    }
  });
});
