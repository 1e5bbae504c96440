import { isForServices } from '@marimo/contracts';
import { permissions } from '@marimo/contracts/all';
import { allRoutes as all, nameOf } from './all-routes.ts';
import { openToEveryone, openToSignedIn } from './open-routes.ts';

const withAccess = (access: string) =>
  all.filter(({ endpoint }) => endpoint.access === access).map(({ endpoint }) => nameOf(endpoint));

describe('every route', () => {
  it('needs a permission of the catalogue, unless it stands on the list of open ones', () => {
    const known = new Set(permissions.map(({ name }) => name));
    const unknown = all.filter(
      ({ endpoint: { access } }) =>
        typeof access !== 'string' && !isForServices(access) && !known.has(access.name),
    );
    expect(unknown.map(({ endpoint }) => nameOf(endpoint))).toEqual([]);
    // A new open route is a decision: it goes on the list in open-routes.ts, with its reason.
    expect(withAccess('public').sort()).toEqual(Object.keys(openToEveryone).sort());
    expect(withAccess('signed-in').sort()).toEqual(Object.keys(openToSignedIn).sort());
  });

  it('for services lies where the gateway does not go, and names them', () => {
    const forServices = all.flatMap(({ endpoint }) => (isForServices(endpoint.access) ? [endpoint] : []));
    expect(forServices.length).toBeGreaterThan(0);
    expect(forServices.filter(({ path }) => !path.startsWith('/internal/'))).toEqual([]);
  });
});
