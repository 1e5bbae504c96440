import { newId } from '@marimo/contracts';
import { apiKeys } from '@marimo/contracts/users';
import { currentContext, runInContext } from '@marimo/observability';
import type { Transaction } from '@marimo/postgres';
import { type Call, type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { type Bearer, issueAccessToken, type TokenSigner } from '../../identity/signing-keys/index.ts';
import { getKeyOfSecret, type KnownKey, lockKeyOfSecret, updateLastUse } from './key-store.ts';
import { grantsOf, narrowed } from './scopes.ts';
import { readKey } from './secret.ts';
import { getRights, type KeyOwner, type RightsInForce } from './store.ts';

export interface KeyParts {
  readonly keys: TokenSigner;
  readonly metrics: { readonly tokens: { inc(labels: { type: 'access' }): void } };
}

export function exchangeRoutes(deps: Deps, parts: KeyParts): readonly Route[] {
  return [
    handle(apiKeys.exchange, async (call) =>
      reply(200, await exchange(deps, parts, call.body.key, call.address, call)),
    ),
    handle(apiKeys.exchangeOf, async (call) =>
      reply(200, await exchange(deps, parts, call.body.key, call.body.address, call)),
    ),
  ];
}

/** An access token for a key; throws `ApiKeyRefused` for every key it does not like, the same for each reason. */
async function exchange(
  { clock }: Deps,
  { keys, metrics }: KeyParts,
  text: string,
  address: string,
  call: Pick<Call, 'inTenantOf'>,
): Promise<apiKeys.TokenOfKey> {
  const presented = readKey(text);
  if (presented === undefined) throw new apiKeys.ApiKeyRefused({});
  const { tenantId, hash } = presented;
  const requestId = currentContext()?.requestId ?? newId();
  const issued = await runInContext({ requestId, tenantId }, () =>
    call.inTenantOf(tenantId, async (tx) => {
      if (!(await lockKeyOfSecret(tx, hash))) return undefined;
      // Now that we have the lock: whoever revokes the key after us dates it after this.
      const now = clock();
      const bearer = await bearerOf(tx, await getKeyOfSecret(tx, hash), tenantId, now);
      if (bearer === undefined) return undefined;
      await updateLastUse(tx, bearer.keyId, address.slice(0, 100), now);
      return { bearer, now };
    }),
  );
  if (issued === undefined) throw new apiKeys.ApiKeyRefused({});
  const { token, expiresIn } = await issueAccessToken(keys, issued.bearer, issued.now);
  metrics.tokens.inc({ type: 'access' });
  return { accessToken: token, expiresIn, tokenType: 'Bearer' };
}

async function bearerOf(
  tx: Transaction,
  key: KnownKey | undefined,
  tenantId: string,
  now: Date,
): Promise<(Bearer & { readonly keyId: string }) | undefined> {
  if (key === undefined || key.revokedAt !== null || key.validUntil <= now) return undefined;
  const owner = ownerOf(key);
  const rights = await getRights(tx, owner, now);
  if (rights === undefined) return undefined;
  return {
    keyId: key.keyId,
    userId: 'accountId' in owner ? owner.accountId : owner.personId,
    tenantId,
    sessionId: key.sessionId,
    roles: [], // a role would bring more than the scopes allow
    grants: narrowed(grantsOf(rights), key.scopes),
    rolesVersion: rights.rolesVersion,
    authenticatedAt: null, // a program proves nothing anew, so it can never step up
    methods: [],
    rightsChangeAt: earlier(key.validUntil, rights),
  };
}

function earlier(validUntil: Date, { rightsChangeAt }: RightsInForce): Date {
  return rightsChangeAt !== null && rightsChangeAt < validUntil ? rightsChangeAt : validUntil;
}

function ownerOf({ accountId, personId }: KnownKey): KeyOwner {
  if (accountId !== null) return { accountId };
  if (personId !== null) return { personId };
  throw new Error('A key without an owner');
}
