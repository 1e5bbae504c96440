import { signInProviders } from '@marimo/contracts/users';
import type { Log } from '@marimo/observability';
import { LRUCache } from 'lru-cache';
import * as openid from 'openid-client';
import type { Claims } from './claims.ts';
import { isWrongToken, readFailure } from './failures.ts';
import type { Flow } from './flow.ts';
import { outsideFetch } from './ssrf-guard.ts';
import type { Provider } from './store.ts';

const timeoutSeconds = 5;
/** A session with us lasts no longer either. */
const longestSeconds = String(7 * 24 * 60 * 60);
const freshForMs = 10 * 60_000;

/** What a provider says about itself. */
export type Metadata = Readonly<openid.ServerMetadata>;

/** What a browser brings back. */
export interface BroughtBack {
  readonly code: string;
  readonly iss: string | undefined;
}

export interface ProviderClient {
  /** What the provider says now. Errors: SignInProviderUnusable. */
  look(provider: Provider): Promise<Metadata>;
  /** Where the browser goes. Errors: SignInProviderUnusable. */
  addressFor(at: Asked, flow: Flow, freshly: boolean): Promise<string>;
  /** The claims of the identity token the code is good for. Errors: FederatedSignInRefused, SignInProviderUnusable. */
  exchange(at: Asked, flow: Flow, brought: BroughtBack): Promise<Claims>;
}

/** A provider, and what we prove ourselves to it with. */
export interface Asked {
  readonly provider: Provider;
  /** Null for a public client. */
  readonly secret: string | null;
  readonly tenantId: string;
}

export interface ProviderClientOptions {
  readonly production: boolean;
  readonly redirectUriOf: (tenantId: string) => string;
  readonly log: Log;
  readonly fetch?: openid.CustomFetch;
}

export function createProviderClient(options: ProviderClientOptions): ProviderClient {
  const { production, redirectUriOf, log, fetch = outsideFetch(production) } = options;
  const known = new LRUCache<string, Promise<Metadata>>({ max: 500, ttl: freshForMs });

  async function look(provider: Provider): Promise<Metadata> {
    requireAllowedAddress(provider.issuer, production);
    try {
      const found = await openid.discovery(
        new URL(provider.issuer),
        provider.clientId,
        undefined,
        openid.None(),
        {
          timeout: timeoutSeconds,
          [openid.customFetch]: fetch,
          execute: production ? [] : [openid.allowInsecureRequests],
        },
      );
      const metadata: Metadata = JSON.parse(JSON.stringify(found.serverMetadata()));
      // The portal sends the browser there, so it must be an address of the web and no script.
      requireAllowedAddress(metadata.authorization_endpoint, production);
      return metadata;
    } catch (error) {
      throw readFailure(error, log, provider.providerId);
    }
  }

  /** One question for all who ask at once; what went wrong is asked again. */
  function metadataOf({ provider, tenantId }: Asked): Promise<Metadata> {
    const key = `${tenantId} ${provider.providerId} ${provider.version}`;
    const present = known.get(key);
    if (present !== undefined) return present;
    const asked = look(provider);
    known.set(key, asked);
    asked.catch(() => known.delete(key));
    return asked;
  }

  /** Made anew for each sign-in: so keys the provider has taken back or renewed are never older than the sign-in. */
  function configuration({ provider, secret }: Asked, metadata: Metadata): openid.Configuration {
    const made = new openid.Configuration(
      metadata,
      provider.clientId,
      {},
      authenticationTo(metadata, provider, secret),
    );
    made[openid.customFetch] = fetch;
    made.timeout = timeoutSeconds;
    if (!production) openid.allowInsecureRequests(made);
    openid.enableNonRepudiationChecks(made); // the signature is checked, not only where the token came from
    return made;
  }

  return {
    look,
    async addressFor(asked, { state, nonce, verifier }, freshly) {
      const metadata = await metadataOf(asked);
      if (asked.secret === null && !offersPkce(metadata)) {
        throw unusable('It does not offer PKCE with S256, which a client without a secret depends on.');
      }
      const url = openid.buildAuthorizationUrl(configuration(asked, metadata), {
        redirect_uri: redirectUriOf(asked.tenantId),
        response_type: 'code',
        scope: [...new Set(['openid', ...asked.provider.scopes])].join(' '),
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        // With any `max_age` the token must say when the provider last asked (OpenID Connect Core, section 3.1.2.1).
        ...(freshly ? { prompt: 'login', max_age: '0' } : { max_age: longestSeconds }),
      });
      return url.href;
    },
    async exchange(asked, { nonce, verifier }, { code, iss }) {
      const metadata = await metadataOf(asked);
      const back = new URL(redirectUriOf(asked.tenantId));
      // Without the state: it was looked up, with the browser's secret, and the verifier and the nonce come from it.
      back.search = new URLSearchParams({ code, ...(iss !== undefined && { iss }) }).toString();
      try {
        const tokens = await openid.authorizationCodeGrant(configuration(asked, metadata), back, {
          pkceCodeVerifier: verifier,
          expectedNonce: nonce,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new Error('An identity token was demanded');
        return claims;
      } catch (error) {
        const failure = readFailure(error, log, asked.provider.providerId);
        throw isWrongToken(error) ? new signInProviders.FederatedSignInRefused({}) : failure;
      }
    },
  };
}

export function offersPkce({ code_challenge_methods_supported: offered }: Metadata): boolean {
  return Array.isArray(offered) && offered.includes('S256');
}

/** Throws SignInProviderUnusable for what is no address of the web, or in production one anybody can read along. */
export function requireAllowedAddress(address: string | undefined, production: boolean): void {
  const protocol = address !== undefined && URL.canParse(address) ? new URL(address).protocol : '';
  if (protocol === 'https:' || (protocol === 'http:' && !production)) return;
  throw unusable(`${production ? 'https' : 'http'} is needed: anything else can be read along the way.`);
}

/**
 * As the organisation chose, else by what the provider offers; who says nothing takes the header (OpenID Connect
 * Discovery, section 3). In the body where both are offered: providers differ in how they read a header's escapes.
 */
function authenticationTo(
  metadata: Metadata,
  { clientAuthentication }: Pick<Provider, 'clientAuthentication'>,
  secret: string | null,
): openid.ClientAuth {
  if (secret === null) return openid.None();
  const offered = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const taken = clientAuthentication === null ? offered : [clientAuthentication];
  if (taken.includes('client_secret_post')) return openid.ClientSecretPost(secret);
  if (taken.includes('client_secret_basic')) return openid.ClientSecretBasic(secret);
  throw unusable('It takes no client secret, neither as client_secret_basic nor as client_secret_post.');
}

function unusable(reason: string): signInProviders.SignInProviderUnusable {
  return new signInProviders.SignInProviderUnusable({ reason });
}
