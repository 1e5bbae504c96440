import { TooManyRequests } from '@marimo/contracts';
import { signInProviders } from '@marimo/contracts/users';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { networkOf, signedIn } from '../sessions/index.ts';
import { arrive } from './finishing.ts';
import { hashOf, newBrowserSecret, signInLastsMs } from './flow.ts';
import { openSecret, type ProviderParts } from './parts.ts';
import { getProvider, insertSignIn, listProviders, useSignIn } from './store.ts';

/** Who begins and never comes back fills a table; nobody signs in this often by hand. */
const beginnings = { perSecond: 1, burst: 60 };

export function federatedSignInRoutes(deps: Deps, parts: ProviderParts): readonly Route[] {
  return [optionsRoute(), beginRoute(deps, parts), callbackRoute(deps, parts), finishRoute(deps, parts)];
}

function optionsRoute(): Route {
  return handle(signInProviders.listSignInOptions, async (call) => {
    const { organisationId } = call.params;
    const found = await call.inTenantOf(organisationId, listProviders);
    const enabled = found.filter((provider) => provider.enabled);
    return reply(200, { items: enabled.map(({ providerId, name }) => ({ providerId, name })) });
  });
}

function beginRoute({ cache, clock }: Deps, { flows, client, factorKeys }: ProviderParts): Route {
  return handle(signInProviders.beginSignIn, async (call) => {
    const { organisationId: tenantId, providerId, freshly } = call.body;
    const { allowed, retryAfterMs } = await cache.take(
      `federated-sign-in:${networkOf(call.address)}`,
      beginnings,
    );
    if (!allowed) {
      const retryAfterSeconds = Math.ceil(retryAfterMs / 1_000);
      throw new TooManyRequests({ limit: beginnings.burst }, { retryAfterSeconds });
    }
    const asked = await call.inTenantOf(tenantId, async (tx) => {
      const provider = await getProvider(tx, providerId);
      if (!provider?.enabled) throw new signInProviders.FederatedSignInRefused({});
      return { provider, secret: await openSecret(tx, factorKeys, provider), tenantId };
    });
    const flow = flows.begin(tenantId);
    const authorizationUrl = await client.addressFor(asked, flow, freshly);

    const { text: browserSecret, hash: browserHash } = newBrowserSecret();
    const now = clock();
    const expiresAt = new Date(now.getTime() + signInLastsMs);
    const begun = { stateHash: flow.stateHash, browserHash, providerId, freshly, expiresAt };
    await call.inTenantOf(tenantId, (tx) => insertSignIn(tx, begun, now));
    return reply(201, { authorizationUrl, state: flow.state, browserSecret, expiresAt });
  });
}

/**
 * A code at the address of another organisation than its sign-in was begun for comes from a provider that was mixed up
 * with the one the state belongs to, and is passed on to nobody.
 */
function callbackRoute({ settings: { portalUrl } }: Deps, { flows }: ProviderParts): Route {
  return handle(signInProviders.callback, async ({ params, query: { state, code, iss, error } }) => {
    const fits = flows.read(state)?.tenantId === params.organisationId.toLowerCase();
    const given = fits ? { state, code, iss, error } : { error: 'state_mismatch' };
    const brought = Object.entries(given).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams(brought as [string, string][]);
    return reply(303, null, { location: `${portalUrl}/#/federated-sign-in?${query.toString()}` });
  });
}

function finishRoute(deps: Deps, parts: ProviderParts): Route {
  const { clock } = deps;
  const { flows, client, factorKeys, keys, metrics } = parts;

  return handle(signInProviders.finishSignIn, async (call) => {
    const { state, code, iss, browserSecret } = call.body;
    const flow = flows.read(state);
    if (flow === undefined) throw refused(parts);
    const { tenantId, stateHash } = flow;
    const browserHash = hashOf(browserSecret);
    // Used up, and that committed, before the provider is asked: whatever it says, nobody comes back with this one.
    const asked = await call.inTenantOf(tenantId, async (tx) => {
      const begun = await useSignIn(tx, { stateHash, browserHash }, clock());
      const provider = begun && (await getProvider(tx, begun.providerId));
      if (!provider?.enabled) return undefined;
      return { provider, tenantId, freshly: begun?.freshly === true };
    });
    if (asked === undefined) throw refused(parts);
    const secret = await call.inTenantOf(tenantId, (tx) => openSecret(tx, factorKeys, asked.provider));
    const arrived = await client
      .exchange({ ...asked, secret }, flow, { code, iss })
      .then((claims) => arrive(deps, parts, call, { ...asked, claims }))
      .catch((error: unknown) => {
        metrics.attempts.inc({ outcome: 'failure' });
        throw error;
      });
    if ('challenge' in arrived) {
      metrics.attempts.inc({ outcome: 'second-factor-asked' });
      return reply(202, arrived);
    }
    const { membership, session, now } = arrived;
    metrics.attempts.inc({ outcome: 'success' });
    metrics.tokens.inc({ type: 'access' });
    metrics.tokens.inc({ type: 'refresh' });
    return reply(200, await signedIn(keys, membership, session, now));
  });
}

function refused({ metrics }: ProviderParts): signInProviders.FederatedSignInRefused {
  metrics.attempts.inc({ outcome: 'failure' });
  return new signInProviders.FederatedSignInRefused({});
}
