import { type pages, refusals } from '@marimo/contracts/gateway';
import type { Registry } from '@marimo/discovery';
import type { Breakers } from '@marimo/resilience';
import type { Upstream, Upstreams } from '../proxy/index.ts';
import type { Routing } from '../routes/index.ts';

export interface HealthParts {
  readonly routing: Pick<Routing, 'services' | 'keptServices'>;
  readonly upstreams: Upstreams;
  readonly breakers: Breakers;
  readonly registry: Pick<Registry, 'ageSeconds' | 'source'>;
}

export interface HealthReader {
  health(): Promise<pages.PlatformHealth>;
  /** Throws `PlatformNotReady`, naming who is missing. */
  requireReady(expected: readonly string[]): Promise<pages.PlatformReady>;
}

const freshMs = 500; // orchestrators, load balancers and people ask at once
const patienceMs = 1_000;

/** Asks every instance how it is, at most twice a second however many ask us. */
export function healthReader({ routing, upstreams, breakers, registry }: HealthParts): HealthReader {
  const look = async (service: string): Promise<readonly [string, pages.ServiceHealth]> => {
    const instances = upstreams.all(service);
    const answers = await Promise.all(
      instances.map(async (one) => Promise.all([isFine(one, '/health'), isFine(one, '/ready')])),
    );
    const found = {
      instances: instances.length,
      alive: answers.filter(([alive]) => alive).length,
      ready: answers.filter(([, ready]) => ready).length,
      shutOff: instances.filter(({ instance }) => breakers.isOpen(instance)).length,
    };
    return [service, found];
  };
  const lookAtAll = remembered(freshMs, async () =>
    Object.fromEntries(await Promise.all(routing.services.map(look))),
  );

  return {
    async health() {
      const found = await lookAtAll();
      const ok = Object.values(found).every(({ ready, shutOff }) => ready > 0 && shutOff === 0);
      return { status: ok ? 'ok' : 'degraded', services: found, discoveryAgeSeconds: registry.ageSeconds() };
    },
    async requireReady(expected) {
      const found = await lookAtAll();
      const missing = expected.filter((service) => !found[service]?.ready);
      if (missing.length > 0) throw new refusals.PlatformNotReady({ missing }, { retryAfterSeconds: 1 });
      return { status: 'ready', discovery: registry.source(), keptRoutes: [...routing.keptServices] };
    },
  };
}

/** Whether an instance says yes, in time. */
export async function isFine({ pool }: Upstream, path: string): Promise<boolean> {
  try {
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path,
      signal: AbortSignal.timeout(patienceMs),
    });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false; // not reachable, or not in time
  }
}

/** One look at a time, its result kept for a while. */
function remembered<T>(forMs: number, look: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (last === undefined || performance.now() >= until) {
      until = Number.POSITIVE_INFINITY;
      last = look().finally(() => {
        until = performance.now() + forMs;
      });
    }
    return last;
  };
}
