import { accessTokens, serviceTokens } from '@marimo/contracts/users';
import { type ForgedToken, forgeriesOf } from './forgeries.ts';
import type { TestSigner, TokenHolder } from './tokens.ts';

export type { ForgedToken } from './forgeries.ts';

/**
 * Access tokens nobody may believe. `holder` is somebody who exists, so that a token that slips through does open a door.
 */
export function forgedTokens(signer: TestSigner, holder: TokenHolder = {}): ForgedToken[] {
  const who = {
    ...(holder.tenantId !== undefined && { tid: holder.tenantId }),
    ...(holder.userId !== undefined && { sub: holder.userId }),
  };
  const { type, audience } = accessTokens.accessToken;
  const signed = (claims: object, header: Record<string, unknown> = {}) =>
    signer.sign({ ...who, ...claims }, header);
  const ofService = { sub: 'users', tid: holder.tenantId };
  const table: Readonly<Record<string, () => string>> = {
    ...forgeriesOf({
      signer,
      type,
      audience,
      sign: (by, claims, header) => by.sign({ ...who, ...claims }, header),
      coveted: { roles: ['admin'], grants: ['*'] },
    }),
    'no tenant': () => signed({ tid: undefined }),
    'a tenant that is no id': () => signed({ tid: "' or 1=1 --" }),
    'an empty tenant': () => signed({ tid: '' }),
    'no person': () => signed({ sub: undefined }),
    'no session': () => signed({ sid: undefined }),
    'roles that are a text': () => signed({ roles: 'admin' }),
    'grants that are a text': () => signed({ grants: '*' }),
    'a proof of identity that is a text': () => signed({ auth_time: 'now' }),
    'a way of proof nobody knows': () => signed({ amr: ['god'] }),
    'the type of a service’s token': () => signed({}, { typ: serviceTokens.serviceToken.type }),
    'the audience of a service’s token': () => signed({ aud: serviceTokens.serviceToken.audience }),
    'all of a service’s token': () => signer.signService(ofService),
    'the claims of a service': () => signer.signService(ofService, { typ: type }),
  };
  return Object.entries(table).map(([what, forge]) => ({ what, forge }));
}
