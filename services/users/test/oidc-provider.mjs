// A real OpenID provider, as a process of plain Node: its library is loaded by Node alone. It signs people in by itself:
// `login_hint` names the account, and what it says of accounts is set with PUT /test/claims/<account>. POST /test/rotate
// gives it new keys. Prints its port when it listens.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const redirectUri = process.argv[2];
const claimsOf = new Map();
const standard = [
  'email',
  'email_verified',
  'name',
  'locale',
  'zoneinfo',
  'groups',
  'realm_access',
  'resource_access',
];
let keys = 0;
let provider;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: `key-${++keys}`, use: 'sig', alg: 'RS256' };
}

function build(issuer) {
  const clients = ['marimo', 'another'].map((client_id) => ({
    client_id,
    client_secret: `secret of ${client_id}`,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }));
  clients.push({
    client_id: 'public',
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  });
  const made = new Provider(issuer, {
    clients,
    jwks: { keys: [newKey()] },
    cookies: { keys: ['only a test'] },
    claims: { openid: ['sub', 'amr', ...standard], profile: [], email: [] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/test/interaction/${interaction.uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: async () => ({ sub: accountId, ...claimsOf.get(accountId) }),
    }),
  });
  // One client stands for those that each organisation has at its own provider.
  made.Client.prototype.redirectUriAllowed = (uri) => uri.startsWith(`${redirectUri}/`);
  made.on('server_error', (_, error) => process.stderr.write(`${error.stack}\n`));
  return made;
}

async function bodyOf(req) {
  let text = '';
  for await (const part of req) text += part;
  return JSON.parse(text);
}

async function finish(req, res) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(req, res);
  if (prompt.name === 'login') {
    const accountId = params.login_hint;
    const { amr } = claimsOf.get(accountId) ?? {};
    return provider.interactionFinished(req, res, { login: { accountId, ...(amr && { amr }) } });
  }
  const grant =
    (grantId && (await provider.Grant.find(grantId))) ??
    new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope('openid profile email');
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}

const server = createServer(async (req, res) => {
  const { pathname } = new URL(req.url, 'http://provider');
  if (pathname.startsWith('/test/claims/')) {
    claimsOf.set(decodeURIComponent(pathname.slice('/test/claims/'.length)), await bodyOf(req));
    res.writeHead(204).end();
  } else if (pathname === '/test/rotate') {
    const { port } = server.address();
    provider = build(`http://127.0.0.1:${port}`);
    res.writeHead(204).end();
  } else if (pathname.startsWith('/test/interaction/')) {
    await finish(req, res);
  } else {
    provider.callback()(req, res);
  }
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  provider = build(`http://127.0.0.1:${port}`);
  process.stdout.write(`${port}\n`);
});
