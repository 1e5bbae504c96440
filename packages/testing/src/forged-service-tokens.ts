import { type ActingService, newId } from '@marimo/contracts';
import { accessTokens, serviceTokens } from '@marimo/contracts/users';
import { type ForgedToken, forgeriesOf } from './forgeries.ts';
import type { TestSigner } from './tokens.ts';

/** A service that may do what the forgeries try. */
export interface Impersonated {
  readonly service: ActingService;
  readonly organisationId?: string;
}

/** Tokens of services nobody may believe. One that slips through does open a door that is for this service. */
export function forgedServiceTokens(
  signer: TestSigner,
  { service, organisationId }: Impersonated,
): ForgedToken[] {
  const who = { sub: service, ...(organisationId !== undefined && { tid: organisationId }) };
  const { type, audience } = serviceTokens.serviceToken;
  const signed = (claims: object, header: Record<string, unknown> = {}) =>
    signer.signService({ ...who, ...claims }, header);
  const person = { tid: organisationId };
  const program = { ...person, roles: [], grants: ['*'], auth_time: 0, amr: [] };
  const table: Readonly<Record<string, () => string>> = {
    ...forgeriesOf({
      signer,
      type,
      audience,
      sign: (by, claims, header) => by.signService({ ...who, ...claims }, header),
      coveted: { sub: 'operator', tid: newId() },
    }),
    'all of a person’s token': () => signer.sign(person),
    'all of an API key’s token': () => signer.sign(program),
    'the claims of a person': () => signer.sign({ ...person, aud: audience }, { typ: type }),
    'the claims of a person called like the service': () =>
      signer.sign({ ...person, aud: audience, sub: service }, { typ: type }),
    'the type of a person’s token': () => signed({}, { typ: accessTokens.accessToken.type }),
    'the audience of a person’s token': () => signed({ aud: accessTokens.accessToken.audience }),
    'roles besides': () => signed({ roles: ['admin'] }),
    'no service': () => signed({ sub: undefined }),
    'a service nobody knows': () => signed({ sub: 'mallory' }),
    'a service from the prototype': () => signed({ sub: '__proto__' }),
    'a person in the place of the service': () => signed({ sub: newId() }),
    'the service in capitals': () => signed({ sub: service.toUpperCase() }),
    'an organisation that is no id': () => signed({ tid: "' or 1=1 --" }),
    'an empty organisation': () => signed({ tid: '' }),
    'any organisation': () => signed({ tid: '*' }),
  };
  return Object.entries(table).map(([what, forge]) => ({ what, forge }));
}
