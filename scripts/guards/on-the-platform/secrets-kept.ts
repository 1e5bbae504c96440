import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ActingService, newId, type ServiceName } from '@marimo/contracts';
import { endpointsByService } from '@marimo/contracts/all';
import { asAdministrator } from '@marimo/postgres';
import { serviceSecretOf } from '@marimo/service-kit';
import { whole } from '../shared-platform.ts';

const services = [...Object.keys(endpointsByService), 'gateway'] as ServiceName[];
const password = 'Canary-Of-A-Password-7';
const secrets: Record<string, string> = { password };
/** Of people, and no secret: it is kept and sent, and stands in no log and no metric. */
const personal = { name: 'Canaria Zwitscher', email: 'canaria@zwitscher.example' };

// biome-ignore lint/suspicious/noExplicitAny: an outsider has only JSON.
async function ask(path: string, body: unknown, token?: string, method = 'POST'): Promise<any> {
  const answer = await fetch(`${whole.platform.origin}/api/v1/users/${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return text === '' ? undefined : JSON.parse(text);
}

/** Goes through all that has to do with secrets, rightly and wrongly, and notes each secret it is given or sends. */
async function live(): Promise<void> {
  const registered = await ask('register', { organisation: 'Aviary', ...personal, password });
  const signedIn = await ask('login', {
    email: personal.email,
    password,
    deviceToken: note('device', 'Z'.repeat(60)),
  });
  note('access token', signedIn.accessToken);
  note('refresh token', signedIn.refreshToken);
  note('next refresh token', (await ask('refresh', { refreshToken: signedIn.refreshToken })).refreshToken);
  await ask('login', { email: personal.email, password: note('wrong password', 'Canary-Of-A-Wrong-One-8') });
  const by = registered.accessToken;
  note('known device', (await ask('me/known-devices', undefined, by)).deviceToken);
  note(
    'API key',
    (await ask('me/keys', { keyId: newId(), name: 'Key', scopes: ['accounting.account.read'] }, by)).key,
  );
  note('token of a key', (await ask('api-key-tokens', { key: secrets['API key'] })).accessToken);
  await ask('api-key-tokens', { key: note('wrong key', `${secrets['API key']?.slice(0, -8)}canary00`) });
  const clientSecret = note('client secret', 'canary-of-a-client-secret-01');
  await ask(
    'sign-in-providers',
    { providerId: newId(), name: 'IdP', issuer: 'https://idp.example', clientId: 'marimo', clientSecret },
    by,
  );
  note('secret of codes', (await ask('second-factors/totp', { name: 'Phone' }, by)).secret);
  await ask('password-resets', { email: personal.email });
  await ask('password-resets/finish', { token: note('wrong link', 'canary-of-a-link'.repeat(4)), password });
  await ask('login/second-factor', {
    challenge: note('wrong challenge', `canary${'x'.repeat(37)}`),
    code: '123456',
  });
  await ask('me/password', { current: password, new: note('new password', 'Canary-Of-A-New-One-9') }, by);
  const internal = readFileSync(join(whole.platform.home, 'secrets/internal'), 'utf8');
  note('secret of services', internal);
  for (const service of ActingService.options) {
    note(`secret of ${service}`, serviceSecretOf(internal, service));
  }
  note('sealing secret', readFileSync(join(whole.platform.home, 'secrets/jwt'), 'utf8'));
  await fetch(`${whole.platform.origin}/api/v1/users/me?access_token=${secrets['access token']}`);
}

function note(name: string, secret: string): string {
  if (typeof secret !== 'string' || secret.length < 10) throw new Error(`no ${name}`);
  secrets[name] = secret;
  return secret;
}

/** Written as it is, or in one of the ways in which bytes and addresses are. */
function writingsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  return [text, encodeURIComponent(text), bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
}
const foundIn = (sink: string, wanted: Readonly<Record<string, string>>) =>
  Object.entries(wanted).flatMap(([name, text]) =>
    writingsOf(text).some((one) => sink.includes(one)) ? [name] : [],
  );

async function metrics(): Promise<string> {
  const pages = services.map(async (service) => (await fetch(`${whole.addressOf(service)}/metrics`)).text());
  return (await Promise.all(pages)).join('\n');
}

/** All rows of all tables, the outbox and what was delivered too. */
function everyRow(): Promise<string> {
  return asAdministrator(whole.database, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const texts: string[] = [];
    for (const { name } of rows) {
      const found = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
      texts.push(...found.rows.map(({ text }) => text));
    }
    return texts.join('\n');
  });
}

describe('secrets and the names of people', () => {
  beforeAll(live);

  it('there is something to be found', async () => {
    expect(Object.keys(secrets).length).toBeGreaterThan(18);
    expect(whole.platform.output()).toContain('/api/v1/users/login');
    expect(foundIn(await everyRow(), personal)).toEqual(['name', 'email']);
  });

  it('no secret and nobody’s name or address stands in the log, at its most talkative', () => {
    expect(foundIn(whole.platform.output(), { ...secrets, ...personal })).toEqual([]);
  });

  it('no secret and nobody’s name or address stands in the metrics', async () => {
    expect(foundIn(await metrics(), { ...secrets, ...personal })).toEqual([]);
  });

  it('no secret lies in the database as it is, in no table and no event', async () => {
    expect(foundIn(await everyRow(), secrets)).toEqual([]);
  });
});
