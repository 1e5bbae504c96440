import { createServer } from 'node:http';
import { type identity, signInProviders } from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../../service.ts';
import { peopleOf } from '../../../test/organisation-with-people.ts';
import {
  federationOf,
  type ProviderUnderTest,
  providerUnderTest,
} from '../../../test/provider-under-test.ts';
import { raceAt, statusesOf } from '../../../test/race.ts';

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let provider: ProviderUnderTest;
let admin: identity.SignedIn;
let providerId: string;
beforeAll(async () => {
  provider = await providerUnderTest();
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
  admin = await people.organisation();
  providerId = await federation.connect(admin);
  await provider.says('anna', { email: admin.user.email, email_verified: true });
});
afterAll(async () => {
  await users?.stop();
  await provider?.stop();
});

const people = peopleOf(() => users, clock.now);
const federation = federationOf(
  () => users,
  () => provider,
);

const callbackOf = (organisationId: string) => {
  const { path } = signInProviders.callback;
  return path.replace('{organisationId}', organisationId);
};
/** A sign-in up to the moment at which the browser is back. */
async function back(at = providerId) {
  const { authorizationUrl, browserSecret } = await federation.begin(admin.organisation.id, at);
  return { ...(await provider.visit(authorizationUrl, 'anna')), browserSecret };
}
const finish = (body: Awaited<ReturnType<typeof back>>) => users.call(signInProviders.finishSignIn, { body });
const sessions = async () =>
  (await users.database.sql('select from session where tenant_id = $1', [admin.organisation.id])).length;

describe('finishing a sign-in with a provider', () => {
  it('works once', async () => {
    const brought = await back();
    expect(statusesOf(await Promise.all([finish(brought), finish(brought)]))).toEqual([200, 401]);
    expect(await finish(brought)).toBeRefused(signInProviders.FederatedSignInRefused);
  });

  it('requires the browser that began it, which can still finish after another one failed', async () => {
    const brought = await back();
    const { browserSecret } = await back();
    expect(await finish({ ...brought, browserSecret })).toBeRefused(signInProviders.FederatedSignInRefused);
    expect(await finish({ ...brought, browserSecret: '' })).toBeRefused(
      signInProviders.FederatedSignInRefused,
    );
    expect((await finish(brought)).status).toBe(200);
  });

  it('requires its own state', async () => {
    const [one, two] = [await back(), await back()];
    const before = await sessions();
    // Somebody else's code under my state, as an attacker plants it.
    expect(await finish({ ...one, code: two.code })).toBeRefused(signInProviders.FederatedSignInRefused);
    for (const state of [
      '',
      'x',
      'A'.repeat(64),
      `${two.state.slice(0, -1)}${two.state.endsWith('A') ? 'B' : 'A'}`,
    ]) {
      expect(await finish({ ...two, state })).toBeRefused(signInProviders.FederatedSignInRefused);
    }
    expect(await sessions()).toBe(before);
  });

  it('requires the code as the provider issued it', async () => {
    const brought = await back();
    expect(await finish({ ...brought, code: `${brought.code}x` })).toBeRefused(
      signInProviders.FederatedSignInRefused,
    );
    expect(await finish(brought)).toBeRefused(signInProviders.FederatedSignInRefused);
  });

  it('requires the provider it was begun with, and refuses a mixed-up one', async () => {
    const before = await sessions();
    expect(await finish({ ...(await back()), iss: 'https://evil.example.com' })).toBeRefused(
      signInProviders.FederatedSignInRefused,
    );
    const { iss: _, ...without } = await back();
    expect(await finish(without)).toBeRefused(signInProviders.FederatedSignInRefused);
    expect(await sessions()).toBe(before);
  });

  it("refuses the code of one organisation's provider in another, even if the provider names no issuer", async () => {
    const mallory = await people.organisation();
    const his = await federation.connect(mallory);
    const mixed = await federation.begin(mallory.organisation.id, his);
    // His provider sends who signs in with it on to ours, with the state of his sign-in.
    const url = new URL(mixed.authorizationUrl);
    const ours = `http://localhost:8080${callbackOf(admin.organisation.id)}`;
    url.searchParams.set('redirect_uri', ours);
    const { iss: _, ...brought } = await provider.visit(url.href, 'anna');
    expect(brought.state).toBe(mixed.state);
    const back = await fetch(
      `${users.url}${callbackOf(admin.organisation.id)}?${new URLSearchParams(brought).toString()}`,
      { redirect: 'manual' },
    );
    expect(back.headers.get('location')).toMatch(/#\/federated-sign-in\?error=state_mismatch$/);
    expect(callbackOf(admin.organisation.id)).not.toBe(callbackOf(mallory.organisation.id));
  });

  it('is possible within ten minutes', async () => {
    const brought = await back();
    clock.advance(10 * 60_000);
    const late = await finish(brought);
    clock.advance(-10 * 60_000);
    expect(late).toBeRefused(signInProviders.FederatedSignInRefused);
  });

  it('is refused once the provider was changed or disabled', async () => {
    const change = (body: object) =>
      users.call(signInProviders.change, { params: { providerId }, body }, { as: admin.accessToken });
    const brought = await back();
    await change({ enabled: false });
    expect(await finish(brought)).toBeRefused(signInProviders.FederatedSignInRefused);
    await change({ enabled: true });
  });

  it('is refused when the provider is changed while it is being asked', async () => {
    const brought = await back();
    const lock = {
      sql: `update sign_in_provider set version = version + 1
              from (select tenant_id from organisation where tenant_id = $1 for update) as locked
             where sign_in_provider.tenant_id = locked.tenant_id and provider_id = $2`,
      values: [admin.organisation.id, providerId],
    };
    const [late] = await raceAt<[Awaited<ReturnType<typeof finish>>]>(users, admin.organisation.id, lock, [
      () => finish(brought),
    ]);
    expect(late).toBeRefused(signInProviders.FederatedSignInRefused);
  });

  it('works for a client without a secret, protected by PKCE', async () => {
    const open = await federation.connect(admin, { clientId: 'public', clientSecret: undefined });
    expect((await finish(await back(open))).status).toBe(200);
  });

  it('works right after the provider rotated its keys', async () => {
    expect((await finish(await back())).status).toBe(200);
    await provider.rotateKeys();
    expect((await finish(await back())).status).toBe(200);
  });

  it('stores and publishes no secret', async () => {
    const brought = await back();
    const { accessToken } = (await finish(brought)).body as identity.SignedIn;
    const told = JSON.stringify(await users.events());
    const stored = JSON.stringify(await users.database.sql('select * from federated_sign_in'));
    for (const secret of [
      brought.state,
      brought.code,
      brought.browserSecret,
      accessToken,
      'secret of marimo',
    ]) {
      expect(told.includes(secret)).toBe(false);
      expect(stored.includes(secret)).toBe(false);
    }
  });
});

describe('a provider that cannot be used', () => {
  const unusable = async (issuer: string, changes: object = {}) => {
    const at = await federation.connect(admin, { issuer, ...changes });
    const params = { providerId: at };
    const begun = await users.call(signInProviders.beginSignIn, {
      body: { organisationId: admin.organisation.id, ...params },
    });
    expect(await users.call(signInProviders.check, { params }, { as: admin.accessToken })).toBeRefused(
      signInProviders.SignInProviderUnusable,
    );
    expect(begun).toBeRefused(signInProviders.SignInProviderUnusable);
  };

  it('is reported when it does not answer', () => unusable('http://127.0.0.1:9'));

  it.each<[string, string, string]>([
    ['answers with a page', 'text/html', '<html>'],
    ['answers with half a text', 'application/json', '{"issuer": "http'],
    ['answers with a list', 'application/json', '[]'],
    ['calls itself another', 'application/json', '{"issuer":"https://op.example.com"}'],
    [
      'sends the browser to a script',
      'application/json',
      '{"issuer":"ISSUER","authorization_endpoint":"javascript:alert(1)"}',
    ],
    ['never ends', 'application/json', `{"issuer":"ISSUER","x":"${'x'.repeat(1_100_000)}"}`],
  ])('is reported when it %s', async (_, contentType, body) => {
    const server = createServer((req, res) => {
      res.setHeader('content-type', contentType);
      res.end(body.replace('ISSUER', `http://${req.headers.host}`));
    });
    const port = await new Promise<number>((listening) => {
      server.listen(0, '127.0.0.1', () => listening((server.address() as { port: number }).port));
    });
    try {
      await unusable(`http://127.0.0.1:${port}`);
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  });

  it('is reported when it does not know our secret', async () => {
    const at = await federation.connect(admin, { clientSecret: 'wrong' });
    expect(await finish(await back(at))).toBeRefused(signInProviders.SignInProviderUnusable, {
      reason: 'It answered invalid_client.',
    });
  });

  it('is reported with the reason if it gives one', async () => {
    const answer = await users.call(
      signInProviders.check,
      { params: { providerId } },
      { as: admin.accessToken },
    );
    expect(answer.body).toEqual({
      issuer: provider.issuer,
      authorizationEndpoint: `${provider.issuer}/auth`,
      offersPkce: true,
    });
  });
});
