import { createMetrics } from '@marimo/observability';
import { closeAll, gatewayTo, raw, upstream } from '../../test/gateway-under-test.ts';
import { gatewayMetrics } from '../metrics.ts';
import { type TrafficClass, trafficClassOf } from '../routes/index.ts';
import { type Load, Shedding } from './overload.ts';

afterEach(closeAll);

const marks = { loopDelayMs: 100, inFlight: 1_000 };
const calm: Load = { loopDelayMs: 1, inFlight: 10 };
const classes: readonly TrafficClass[] = ['background', 'read', 'write', 'critical'];

function underLoad() {
  const shedding = new Shedding(marks, gatewayMetrics(createMetrics('gateway')));
  const look = (times: number, load: Partial<Load>) => {
    for (let at = 0; at < times; at++) shedding.look({ ...calm, ...load });
  };
  const isShed = (trafficClass: TrafficClass) => {
    try {
      shedding.requireRoom(trafficClass);
      return false;
    } catch {
      return true;
    }
  };
  return { look, shed: () => classes.filter(isShed) };
}

describe('an overloaded gateway', () => {
  it.each<[string, Partial<Load>, readonly TrafficClass[]]>([
    ['a little late', { loopDelayMs: 99 }, []],
    ['late', { loopDelayMs: 100 }, ['background']],
    ['later', { loopDelayMs: 200 }, ['background', 'read']],
    ['far too late', { loopDelayMs: 400 }, ['background', 'read', 'write']],
    ['buried', { loopDelayMs: 60_000, inFlight: 1_000_000 }, ['background', 'read', 'write']],
    ['full', { inFlight: 1_000 }, ['background']],
    ['fuller', { inFlight: 1_500 }, ['background', 'read']],
    ['more than full', { inFlight: 2_000 }, ['background', 'read', 'write']],
  ])('sheds the least urgent requests first, and never sign-ins: %s', (_, load, expected) => {
    const { look, shed } = underLoad();
    look(3, load);
    expect(shed()).toEqual(expected);
  });

  it('is not assumed because of a single pause', () => {
    const { look, shed } = underLoad();
    for (let at = 0; at < 20; at++) {
      look(2, { loopDelayMs: 5_000 });
      look(1, calm);
    }
    expect(shed()).toEqual([]);
  });

  it('sheds as much as all recent measurements require', () => {
    const { look, shed } = underLoad();
    look(2, { loopDelayMs: 400 });
    look(1, { loopDelayMs: 150 });
    expect(shed()).toEqual(['background']);
  });

  it('accepts one class after another again, once load has been well below the threshold for a while', () => {
    const { look, shed } = underLoad();
    look(3, { loopDelayMs: 400 });
    look(100, { loopDelayMs: 300 }); // below the mark of writes, not well below
    expect(shed()).toEqual(['background', 'read', 'write']);
    look(7, { loopDelayMs: 150 });
    look(1, { loopDelayMs: 300 });
    look(7, { loopDelayMs: 150 });
    expect(shed()).toEqual(['background', 'read', 'write']);
    look(1, { loopDelayMs: 150 });
    expect(shed()).toEqual(['background', 'read']);
    look(8, calm);
    expect(shed()).toEqual(['background']);
    look(8, calm);
    expect(shed()).toEqual([]);
  });

  it.each([
    ['POST', '/api/v1/users/login', {}, 'critical'],
    ['POST', '/api/v1/users/refresh', {}, 'critical'],
    ['POST', '/api/v1/users/logout', {}, 'critical'],
    ['GET', '/api/v1/users/.well-known/jwks.json', { polled: true }, 'critical'],
    ['POST', '/api/v1/users/register', {}, 'write'],
    ['POST', '/api/v1/users/login-attempts', {}, 'write'],
    ['POST', '/api/v1/accounting/journal-entries', {}, 'write'],
    ['GET', '/api/v1/accounting/accounts', {}, 'read'],
    ['POST', '/api/v1/accounting/journal-entries/import', { streams: true }, 'background'],
    ['GET', '/api/v1/workers/notifications', { polled: true }, 'background'],
  ] as const)('counts %s %s among the %s', (method, path, more, expected) => {
    expect(trafficClassOf({ method, path, ...more })).toBe(expected);
  });

  it('sends Retry-After, counts refusals, and still answers health checks', async () => {
    let shedding: Shedding | undefined;
    const stock = await upstream((_, res) => res.end());
    const gateway = await gatewayTo([stock.instance], {
      env: { SHED_LOOP_DELAY_MS: '100' },
      watch(given) {
        shedding = given;
        return () => undefined;
      },
    });
    const ask = (method: string) => fetch(`${gateway.url}/api/v1/stock/open`, { method });
    for (let at = 0; at < 3; at++) shedding!.look({ loopDelayMs: 200, inFlight: 1 });
    const refused = await ask('GET');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '4']);
    expect(await refused.json()).toMatchObject({ code: 'gateway.overloaded' });
    expect((await ask('POST')).status).toBe(200);
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
    expect(await gateway.measured('gateway_shed_total', { class: 'read' })).toBe(1);
    expect(await gateway.measured('gateway_overload_level')).toBe(2);
  });

  it('opens no sockets once it refuses writes', async () => {
    let shedding: Shedding | undefined;
    const gateway = await gatewayTo([], {
      env: { SHED_LOOP_DELAY_MS: '100' },
      sockets: [{ service: 'stock', path: '/api/v1/stock/socket', bearer: false }],
      watch(given) {
        shedding = given;
        return () => undefined;
      },
    });
    const upgrade =
      'GET /api/v1/stock/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    for (let at = 0; at < 3; at++) shedding!.look({ loopDelayMs: 9_999, inFlight: 1 });
    expect((await raw(gateway.port, upgrade)).text).toMatch(/503[\s\S]*gateway\.overloaded/);
  });
});
