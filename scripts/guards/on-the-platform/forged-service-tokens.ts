import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyEndpoint, isForServices, newId, type ServiceName } from '@marimo/contracts';
import { personalRecords } from '@marimo/contracts/workers';
import { serviceSecretOf } from '@marimo/service-kit';
import { forgedServiceTokens, makeSigner, until } from '@marimo/testing';
import { registerOrganisation } from '../../start/api-client.ts';
import { allRoutes } from '../all-routes.ts';
import { whole } from '../shared-platform.ts';

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
let holder: { userId: string; tenantId: string };

const doors = allRoutes.flatMap(({ service: at, endpoint }) => {
  const service = isForServices(endpoint.access) ? endpoint.access.services[0] : undefined;
  return service === undefined ? [] : [{ at, endpoint, service }];
});
const forgeries = (service: (typeof doors)[number]['service']) =>
  forgedServiceTokens(whole.signer, { service, organisationId: holder.tenantId });
const names = forgedServiceTokens(makeSigner(), { service: 'users' }).map(({ what }) => what);

/** Nothing it asks is right, so who is let in is told what is wrong with it. */
async function statusOf(at: ServiceName, { method, path }: AnyEndpoint, token: string): Promise<number> {
  const url = whole.addressOf(at) + path.replaceAll(/\{\w+\}/g, newId());
  const body = method === 'GET' ? {} : { body: '{"guardProbe":1}' };
  const headers = { ...bearer(token), 'content-type': 'application/json' };
  const answer = await fetch(`${url}?guard-probe=1`, { method, headers, ...body });
  await answer.arrayBuffer();
  return answer.status;
}
const askAll = async (tokenFor: (door: (typeof doors)[number]) => string) =>
  Object.fromEntries(
    await Promise.all(
      doors.map(async (door) => {
        const status = await statusOf(door.at, door.endpoint, tokenFor(door));
        return [door.endpoint.path, status] as const;
      }),
    ),
  );
const all = (status: number) => Object.fromEntries(doors.map(({ endpoint }) => [endpoint.path, status]));

describe('what is for services', () => {
  beforeAll(async () => {
    const anna = await registerOrganisation(whole.platform.origin, 'Served', 'EUR');
    const { body } = await anna.get('/api/v1/users/me');
    holder = { userId: body.user.id, tenantId: body.organisation.id };
  });

  it('is opened by a good token of this signer, or nothing below would mean anything', async () => {
    expect(doors.length).toBeGreaterThanOrEqual(4);
    expect(names.length).toBeGreaterThanOrEqual(40);
    expect(await askAll(({ service }) => whole.signer.signService({ sub: service }))).toEqual(all(400));
  });

  it.each(names)('refuses a token with %s', async (name) => {
    const forged = await askAll(
      ({ service }) =>
        forgeries(service)
          .find(({ what }) => what === name)
          ?.forge() ?? '',
    );
    expect(forged).toEqual(all(401));
  });

  it('asks for the token of another service than comes, and takes no secret for a token', async () => {
    const others = await askAll(({ service }) =>
      whole.signer.signService({ sub: service === 'workers' ? 'users' : 'workers' }),
    );
    expect(others).toEqual({ ...all(403) });
    const secret = readFileSync(join(whole.platform.home, 'secrets/internal'), 'utf8');
    expect(await askAll(() => secret)).toEqual(all(401));
    expect(await askAll(({ service }) => serviceSecretOf(secret, service))).toEqual(all(401));
  });

  it('tells nothing of an organisation to a token that names none', async () => {
    const url =
      whole.addressOf('workers') + personalRecords.getKept.path.replace('{personId}', holder.userId);
    const ask = (tid?: string) =>
      fetch(url, { headers: bearer(whole.signer.signService({ sub: 'users', tid })) });
    expect((await ask()).status).toBe(401);
    await until(async () => {
      const { notifications } = (await (await ask(holder.tenantId)).json()) as { notifications: unknown[] };
      return notifications.length === 1; // the welcome
    });
    expect(await (await ask(newId())).json()).toEqual({ emails: [], notifications: [] });
  });
});
