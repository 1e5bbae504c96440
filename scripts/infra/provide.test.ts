import type { Machine } from './machine.ts';
import { provideInfra } from './provide.ts';

/** A machine that has some programs and notes what it is asked to get. */
function machine(has: string[], can: Partial<Machine> = {}): Machine & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    find: (binary) => (has.includes(binary) ? `/usr/bin/${binary}` : undefined),
    whyNoPackages: () => undefined,
    whyNoConsul: () => undefined,
    async install(packages) {
      asked.push(`install ${packages.join(' ')}`);
      has.push(...packages);
    },
    async fetchConsul() {
      asked.push('fetch consul');
      has.push('consul');
    },
    ...can,
  };
}

describe('providing what tests need beside Node', () => {
  it('installs nothing when everything is here', async () => {
    const here = machine(['redis-server', 'rabbitmq-server', 'consul', 'google-chrome']);
    const infra = await provideInfra({ machine: here });
    expect(here.asked).toEqual([]);
    expect(infra.missing).toEqual([]);
    expect(infra.programs[0]).toEqual({
      name: 'Redis',
      path: '/usr/bin/redis-server',
      says: 'found /usr/bin/redis-server',
    });
    expect(infra.env).toEqual({ CHROMIUM_PATH: '/usr/bin/google-chrome' });
  });

  it('installs all that is missing in one go', async () => {
    const fresh = machine(['redis-server']);
    const infra = await provideInfra({ machine: fresh });
    expect(fresh.asked).toEqual(['install rabbitmq-server chromium', 'fetch consul']);
    expect(infra.missing).toEqual([]);
    expect(infra.programs.map(({ says }) => says)).toContain('installed /usr/bin/consul');
  });

  it('gets some programs only for benchmarks', async () => {
    const here = machine(['redis-server', 'rabbitmq-server', 'consul', 'chromium']);
    await provideInfra({ machine: here, bench: true });
    expect(here.asked).toEqual(['install nginx wrk']);
  });

  it('says what is left out, why, and how to get it', async () => {
    const foreign = machine([], { whyNoPackages: () => 'this is not Debian' });
    const { missing } = await provideInfra({ machine: foreign });
    expect(missing).toHaveLength(3);
    expect(missing[0]).toBe(
      'Redis: left out: this is not Debian; install redis-server with the package manager of this system',
    );
  });

  it('gets the others when one cannot be had', async () => {
    const offline = machine([], {
      install: async () => {
        throw new Error('apt-get install: Temporary failure resolving');
      },
    });
    const { missing } = await provideInfra({ machine: offline });
    expect(missing.map((line) => line.split(':')[0])).toEqual(['Redis', 'RabbitMQ', 'Chromium']);
    expect(missing[0]).toContain('Temporary failure resolving');
  });

  it('does not take an installation for granted', async () => {
    const broken = machine(['redis-server', 'rabbitmq-server', 'chromium'], {
      fetchConsul: async () => undefined,
    });
    const { missing } = await provideInfra({ machine: broken });
    expect(missing).toEqual([expect.stringContaining('still missing after its installation')]);
  });
});
