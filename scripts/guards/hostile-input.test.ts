import { allRoutes as all, nameOf } from './all-routes.ts';
import { endlessIn, mutationsOf, openObjectsOf } from './mutations.ts';
import { schemaOf } from './sample.ts';

/** What takes members it does not name, each with the reason. */
const passkey = 'browsers add members to what an authenticator said: Web Authentication, section 5.1';
const takesMore: Readonly<Record<string, string>> = {
  'GET /api/v1/users/federated-sign-ins/callback/{organisationId}':
    'providers add parameters: RFC 6749, section 4.1.2',
  'POST /api/v1/users/login/second-factor': passkey,
  'POST /api/v1/users/login/passkey': passkey,
  'POST /api/v1/users/step-up': passkey,
  'POST /api/v1/users/second-factors/passkeys': passkey,
  'POST /api/v1/users/register/with-account': passkey,
};

/** What is counted where JSON Schema cannot say it, or has the length of an address only. */
const mayBeEndless = [
  'POST /api/v1/users/sign-in-providers /properties/roles',
  'PATCH /api/v1/users/sign-in-providers/{providerId} /properties/roles',
  'GET /api/v1/users/federated-sign-ins/callback/{organisationId} ',
];

it('there are two hundred and more wrong bodies for each route, each made of one that is right', () => {
  const taking = all.filter(({ endpoint }) => schemaOf(endpoint.body) !== undefined);
  expect(taking.length).toBeGreaterThan(40);
  for (const { endpoint } of taking)
    expect(mutationsOf(endpoint, () => undefined, 1).length).toBeGreaterThanOrEqual(200);
});

it('every body and query is closed: what it does not name is refused', () => {
  const open = all.flatMap(({ endpoint }) =>
    [endpoint.body, endpoint.query].flatMap((contract) =>
      openObjectsOf(schemaOf(contract)).map(() => nameOf(endpoint)),
    ),
  );
  expect(new Set(open)).toEqual(new Set(Object.keys(takesMore)));
});

it('every text and list in a body or a query has an end', () => {
  const endless = all.flatMap(({ endpoint }) =>
    [endpoint.body, endpoint.query]
      .flatMap((contract) => endlessIn(schemaOf(contract)))
      .map((place) => `${nameOf(endpoint)} ${place}`),
  );
  expect(endless.sort()).toEqual([...mayBeEndless].sort());
});
