import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { signInProviders } from '@marimo/contracts/users';
import { createLog } from '@marimo/observability';
import jwt from 'jsonwebtoken';
import { createFlows } from './flow.ts';
import { type Asked, createProviderClient } from './provider-client.ts';
import type { Provider } from './store.ts';

const issuer = 'https://id.example.com';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const { privateKey: foreignKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const tenantId = '01890a5d-ac96-774b-bcce-b302099a8057';
const flow = createFlows(Buffer.alloc(32, 1)).begin(tenantId);
const now = Math.floor(Date.now() / 1_000);

const provider: Provider = {
  providerId: tenantId,
  name: 'Test',
  issuer,
  clientId: 'marimo',
  secret: null,
  scopes: ['openid'],
  rolesClaim: 'groups',
  roles: {},
  defaultRoles: [],
  createMembers: false,
  emailDomains: [],
  trustSecondFactor: false,
  clientAuthentication: null,
  enabled: true,
  createdAt: new Date(),
  version: 1,
};
const asked: Asked = { provider, secret: 'secret', tenantId };

interface Answers {
  /** Beside what a provider always says of itself. */
  readonly metadata?: object;
  readonly claims?: object;
  readonly key?: KeyObject;
  readonly idToken?: string;
}

/** A client of a provider that answers as it is told here. */
function clientOf({ metadata = {}, claims = {}, key = privateKey, idToken }: Answers) {
  const requests: {
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly body: string;
  }[] = [];
  const right = { iss: issuer, aud: 'marimo', sub: '1', nonce: flow.nonce, iat: now, exp: now + 60 };
  const answers: Record<string, object> = {
    '/.well-known/openid-configuration': {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      ...metadata,
    },
    '/jwks': {
      keys: [
        {
          ...createPublicKey(privateKey as never).export({ format: 'jwk' }),
          kid: '1',
          alg: 'RS256',
          use: 'sig',
        },
      ],
    },
    '/token': {
      access_token: 'x',
      token_type: 'Bearer',
      id_token: idToken ?? jwt.sign({ ...right, ...claims }, key, { algorithm: 'RS256', keyid: '1' }),
    },
  };
  const client = createProviderClient({
    production: true,
    redirectUriOf: (tenantId) => `https://erp.example.com/callback/${tenantId}`,
    log: createLog({ service: 'users', level: 'silent' }),
    fetch: async (url, { headers, body }) => {
      requests.push({ url, headers, body: body instanceof URLSearchParams ? body.toString() : '' });
      return Response.json(answers[new URL(url).pathname]);
    },
  });
  const exchange = () => client.exchange(asked, flow, { code: 'code', iss: undefined });
  return { ...client, requests, exchange };
}

describe('the identity token of a provider', () => {
  it('is accepted when everything matches', async () => {
    const client = clientOf({});
    expect(await client.exchange()).toMatchObject({ sub: '1', iss: issuer });
    const { body } = client.requests.find(({ url }) => url.endsWith('/token')) ?? { body: '' };
    expect(new URLSearchParams(body).get('code_verifier')).toBe(flow.verifier);
  });

  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
    JSON.stringify({ iss: issuer, aud: 'marimo', sub: '1', nonce: flow.nonce, iat: now, exp: now + 60 }),
  ).toString('base64url')}.`;

  it.each<[string, Answers]>([
    ['of another client', { claims: { aud: 'another' } }],
    ['of another issuer', { claims: { iss: 'https://evil.example.com' } }],
    ['of another sign-in', { claims: { nonce: 'another' } }],
    ['without a nonce', { claims: { nonce: undefined } }],
    ['that is over', { claims: { iat: now - 7_200, exp: now - 3_600 } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['signed with a key that is not the provider’s', { key: foreignKey }],
  ])('is refused %s', async (_, answers) => {
    await expect(clientOf(answers).exchange()).rejects.toBeInstanceOf(signInProviders.FederatedSignInRefused);
  });

  it('is refused unsigned', async () => {
    await expect(clientOf({ idToken: unsigned }).exchange()).rejects.toThrow();
  });
});

describe('connecting to a provider', () => {
  it.each<[string, object | undefined, string]>([
    ['in the header where it says nothing', undefined, 'basic'],
    [
      'in the body where it takes both',
      { token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'] },
      'post',
    ],
    [
      'in the body where it takes only that',
      { token_endpoint_auth_methods_supported: ['client_secret_post'] },
      'post',
    ],
  ])('sends the client secret %s', async (_, metadata = {}, way) => {
    const client = clientOf({ metadata });
    await client.exchange();
    const { headers, body } = client.requests.find(({ url }) => url.endsWith('/token')) ?? {
      headers: {},
      body: '',
    };
    const inHeader = JSON.stringify(headers).includes(Buffer.from('marimo:secret').toString('base64'));
    expect([inHeader, body.includes('client_secret=secret')]).toEqual([way === 'basic', way === 'post']);
  });

  it('fetches its description once in ten minutes for all requests, and its keys at each sign-in', async () => {
    const client = clientOf({});
    await Promise.all([1, 2, 3].map(() => client.addressFor(asked, flow, false)));
    await client.exchange();
    await client.exchange();
    const times = (end: string) => client.requests.filter(({ url }) => url.endsWith(end)).length;
    expect([times('openid-configuration'), times('/jwks')]).toEqual([1, 2]);
  });

  it('asks the provider for a new authentication where required', async () => {
    const client = clientOf({});
    const [usual, freshly] = await Promise.all([
      client.addressFor(asked, flow, false),
      client.addressFor(asked, flow, true),
    ]);
    expect(new URL(usual).searchParams.has('prompt')).toBe(false);
    expect(new URL(usual).searchParams.get('max_age')).toBe('604800');
    expect(new URL(freshly).searchParams.get('prompt')).toBe('login');
    expect(new URL(freshly).searchParams.get('max_age')).toBe('0');
  });

  it('is refused for a client without a secret if the provider does not state that it checks PKCE', async () => {
    const without = { ...asked, secret: null };
    await expect(clientOf({}).addressFor(without, flow, false)).rejects.toBeInstanceOf(
      signInProviders.SignInProviderUnusable,
    );
    const metadata = { code_challenge_methods_supported: ['S256'] };
    const address = await clientOf({ metadata }).addressFor(without, flow, false);
    expect(new URL(address).searchParams.get('code_challenge_method')).toBe('S256');
  });

  it.each([
    ['the issuer', { ...asked, provider: { ...provider, issuer: 'http://id.example.com' } }, {}],
    ['the sign-in page', asked, { authorization_endpoint: 'http://id.example.com/auth' }],
  ])('is refused in production if %s could be intercepted', async (_, at, metadata) => {
    await expect(clientOf({ metadata }).addressFor(at, flow, false)).rejects.toBeInstanceOf(
      signInProviders.SignInProviderUnusable,
    );
  });

  it('sends no code in production to an address that could be intercepted', async () => {
    const client = clientOf({ metadata: { token_endpoint: 'http://id.example.com/token' } });
    await expect(client.exchange()).rejects.toBeInstanceOf(signInProviders.SignInProviderUnusable);
    expect(client.requests.some(({ url }) => url.startsWith('http:'))).toBe(false);
  });
});
