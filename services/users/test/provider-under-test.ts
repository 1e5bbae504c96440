import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { newId } from '@marimo/contracts';
import { identity, signInProviders } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';

/** Behind it stands the organisation. */
const redirectUri = 'http://localhost:8080/api/v1/users/federated-sign-ins/callback';

/** A real OpenID provider in a process of its own. */
export interface ProviderUnderTest {
  readonly issuer: string;
  /** What it says of an account from now on. */
  says(account: string, claims: object): Promise<void>;
  rotateKeys(): Promise<void>;
  /** Lets a browser sign in as this account; gives what it brings back. */
  visit(authorizationUrl: string, account: string): Promise<Brought>;
  stop(): Promise<void>;
}

export interface Brought {
  readonly state: string;
  readonly code: string;
  readonly iss?: string;
}

export async function providerUnderTest(): Promise<ProviderUnderTest> {
  const script = fileURLToPath(new URL('oidc-provider.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, redirectUri], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const issuer = `http://127.0.0.1:${await portOf(child)}`;
  return {
    issuer,
    async says(account, claims) {
      const body = JSON.stringify(claims);
      await fetch(`${issuer}/test/claims/${encodeURIComponent(account)}`, { method: 'PUT', body });
    },
    async rotateKeys() {
      await fetch(`${issuer}/test/rotate`, { method: 'POST' });
    },
    visit: browse,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  const said = child.stdout === null ? [] : await once(child.stdout, 'data');
  return Number.parseInt(String(said[0]), 10);
}

/** Follows the redirects of the provider with cookies, until it sends the browser back to us. */
async function browse(authorizationUrl: string, account: string): Promise<Brought> {
  const cookies = new Map<string, string>();
  let url = new URL(authorizationUrl);
  url.searchParams.set('login_hint', account);
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`The provider stopped: ${await answer.text()}`);
    url = new URL(location, url);
    if (url.href.startsWith(`${redirectUri}/`))
      return Object.fromEntries(url.searchParams) as unknown as Brought;
  }
  throw new Error('The provider sends the browser round and round');
}

/** What tests of sign-ins with a provider do again and again. */
export function federationOf(users: () => ServiceUnderTest, provider: () => ProviderUnderTest) {
  const begin = async (organisationId: string, providerId: string) =>
    (await users().call(signInProviders.beginSignIn, { body: { organisationId, providerId } })).body;
  /** From the begin to the answer, as `account`, of whom the provider says this. */
  const enter = async (organisationId: string, providerId: string, account: string, claims?: object) => {
    if (claims !== undefined) await provider().says(account, claims);
    const { authorizationUrl, browserSecret } = await begin(organisationId, providerId);
    const brought = await provider().visit(authorizationUrl, account);
    return users().call(signInProviders.finishSignIn, { body: { ...brought, browserSecret } });
  };
  return {
    begin,
    /** Connects the provider to an organisation, mapping nothing unless told. */
    async connect(
      { accessToken }: Pick<identity.SignedIn, 'accessToken'>,
      changes: object = {},
    ): Promise<string> {
      const body = {
        providerId: newId(),
        name: 'Keycloak',
        issuer: provider().issuer,
        clientId: 'marimo',
        clientSecret: 'secret of marimo',
        ...changes,
      };
      return (await users().call(signInProviders.connect, { body }, { as: accessToken })).body.providerId;
    },
    enter,
    async finished(body: Brought & { readonly browserSecret: string }) {
      return identity.SignedIn.parse((await users().call(signInProviders.finishSignIn, { body })).body);
    },
    async entered(...[organisationId, providerId, account, claims]: Parameters<typeof enter>) {
      const answer = await enter(organisationId, providerId, account, claims);
      return identity.SignedIn.parse(answer.body);
    },
  };
}
