import type { AnyEndpoint, ServiceName } from '@marimo/contracts';
import { ActingService, isForServices, newId } from '@marimo/contracts';
import { endpointsByService, permissions } from '@marimo/contracts/all';
import { admits, roleNames } from '../access-matrix.ts';
import { allRoutes as all, nameOf } from '../all-routes.ts';
import { atOnce } from '../at-once.ts';
import { whole } from '../shared-platform.ts';

const serviceLetIn = ({ access }: AnyEndpoint) => (isForServices(access) ? access.services[0] : 'users');

const tenantId = newId();

/** A request that is never right, so that it has no effect: let in, it is refused for what it says. */
async function probe(origin: string, endpoint: AnyEndpoint, token: string | undefined) {
  const path = endpoint.path.replaceAll(/\{\w+\}/g, newId());
  const isRead = endpoint.method === 'GET';
  const answer = await fetch(`${origin}${path}?guard-probe=1`, {
    method: endpoint.method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(!isRead && { 'content-type': 'application/json' }),
    },
    ...(!isRead && { body: '{"guardProbe":1}' }),
  });
  const text = await answer.text();
  if ([400, 415].includes(answer.status)) return 'let in';
  if (answer.status === 403) return 'forbidden';
  if (answer.status === 401) return text.includes('step-up-required') ? 'step up' : 'sign in';
  return `${answer.status} ${text}`;
}

interface Somebody {
  readonly who: string;
  readonly token: string | undefined;
  readonly expected: string;
}

const tokenOf = (claims: object) => whole.signer.sign({ tid: tenantId, ...claims });

function everybody(endpoint: AnyEndpoint): Somebody[] {
  return [...peopleWithRoles(endpoint), ...holdersOfIt(endpoint), ...servicesForThemselves(endpoint)];
}

function peopleWithRoles(endpoint: AnyEndpoint): Somebody[] {
  const { access } = endpoint;
  const expectedOf = (roles: readonly string[]) =>
    isForServices(access) ? 'sign in' : admits(endpoint, roles) ? 'let in' : 'forbidden';
  return [
    { who: 'nobody', token: undefined, expected: access === 'public' ? 'let in' : 'sign in' },
    { who: 'a member without a role', token: tokenOf({ roles: [] }), expected: expectedOf([]) },
    { who: 'a role nobody knows', token: tokenOf({ roles: ['__proto__'] }), expected: expectedOf([]) },
    ...roleNames.map((role) => ({
      who: role,
      token: tokenOf({ roles: [role] }),
      expected: expectedOf([role]),
    })),
  ];
}

/** Each of them: a token of theirs is nothing where services are not asked for. */
function servicesForThemselves({ access }: AnyEndpoint): Somebody[] {
  const expectedOf = (service: ActingService) => {
    if (!isForServices(access)) return access === 'public' ? 'let in' : 'sign in';
    return access.services.includes(service) ? 'let in' : 'forbidden';
  };
  return ActingService.options.flatMap((service) =>
    [undefined, tenantId].map((tid) => ({
      who: `${service} itself${tid === undefined ? '' : ' in an organisation'}`,
      token: whole.signer.signService({ sub: service, tid }),
      expected: expectedOf(service),
    })),
  );
}

function holdersOfIt({ access, stepUp }: AnyEndpoint): Somebody[] {
  if (typeof access === 'string' || isForServices(access)) return [];
  const letIn = { expected: 'let in' };
  const others = permissions.map(({ name }) => name).filter((name) => name !== access.name);
  return [
    { who: 'a role of just this', token: tokenOf({ roles: [], grants: [access.name] }), ...letIn },
    {
      who: 'a role of all but this',
      token: tokenOf({ roles: [], grants: others }),
      expected: 'forbidden',
    },
    {
      who: 'an administrator who signed in this morning',
      token: tokenOf({ auth_time: Math.floor(Date.now() / 1000) - 4 * 3600 }),
      expected: stepUp ? 'step up' : 'let in',
    },
    {
      who: 'a program',
      token: tokenOf({ roles: [], grants: ['*'], auth_time: 0, amr: [] }),
      expected: stepUp ? 'step up' : 'let in',
    },
  ];
}

describe('every route, asked by everybody, at the service and through the gateway,', () => {
  it.each(all.map(({ service, endpoint }) => [nameOf(endpoint), service, endpoint] as const))(
    '%s lets in whom it should, and nobody else',
    async (_, service, endpoint) => {
      const found: Record<string, string> = {};
      const expected: Record<string, string> = {};
      await atOnce(everybody(endpoint), async ({ who, token, expected: wanted }) => {
        expected[who] = wanted;
        found[who] = await probe(whole.addressOf(service), endpoint, token);
        if (endpoint.path.startsWith('/internal/')) return;
        expected[`${who}, through the gateway`] = wanted;
        found[`${who}, through the gateway`] = await probe(whole.platform.origin, endpoint, token);
      });
      expect(found).toEqual(expected);
    },
  );

  it('the gateway passes nothing on to what is internal', async () => {
    const internal = all.filter(({ endpoint }) => endpoint.path.startsWith('/internal/'));
    expect(internal.length).toBeGreaterThan(0);
    for (const { endpoint } of internal) {
      for (const token of [tokenOf({}), whole.signer.signService({ sub: serviceLetIn(endpoint) })]) {
        const answer = await fetch(whole.platform.origin + endpoint.path.replaceAll(/\{\w+\}/g, newId()), {
          method: endpoint.method,
          headers: { authorization: `Bearer ${token}` },
        });
        await answer.arrayBuffer();
        expect(answer.status).toBe(404);
      }
    }
  });

  it('each service serves just the routes of its contract', async () => {
    for (const [service, endpoints] of Object.entries(endpointsByService)) {
      const answer = await fetch(`${whole.addressOf(service as ServiceName)}/openapi.json`);
      const { paths } = (await answer.json()) as { paths: Record<string, object> };
      const served = Object.entries(paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      const declared = endpoints.filter(({ path }) => path.startsWith('/api/')).map(nameOf);
      expect(served.filter((name) => name.includes(' /api/')).sort()).toEqual(declared.sort());
    }
  });
});
