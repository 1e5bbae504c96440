/** A program that some tests and benchmarks need beside Node. */
export interface Program {
  readonly name: string;
  /** What it may be called; the first one found counts. */
  readonly binaries: readonly string[];
  /** Debian's package; Consul is in none of Debian 12. */
  readonly debianPackage: string | undefined;
  /** Where one usually runs. */
  readonly port: number | undefined;
  readonly howToGet: string;
}

const redis: Program = {
  name: 'Redis',
  binaries: ['redis-server'],
  debianPackage: 'redis-server',
  port: 6379,
  howToGet: 'install redis-server with the package manager of this system',
};
const rabbitmq: Program = {
  name: 'RabbitMQ',
  binaries: ['rabbitmq-server'],
  debianPackage: 'rabbitmq-server',
  port: 5672,
  howToGet: 'install rabbitmq-server with the package manager of this system',
};
const consul: Program = {
  name: 'Consul',
  binaries: ['consul'],
  debianPackage: undefined,
  port: 8500,
  howToGet: 'put the consul program on the PATH or at .runtime/bin/consul',
};
const chromium: Program = {
  name: 'Chromium',
  binaries: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  debianPackage: 'chromium',
  port: undefined,
  howToGet: 'install chromium with the package manager of this system',
};
const nginx: Program = {
  name: 'nginx',
  binaries: ['nginx'],
  debianPackage: 'nginx',
  port: undefined,
  howToGet: 'install nginx with the package manager of this system',
};

const wrk: Program = {
  name: 'wrk',
  binaries: ['wrk'],
  debianPackage: 'wrk',
  port: undefined,
  howToGet: 'install wrk; without it autocannon makes the load, which costs more than it measures',
};

export const programsForTests: readonly Program[] = [redis, rabbitmq, consul, chromium];
export const programsForBenchmarks: readonly Program[] = [...programsForTests, nginx, wrk];
