import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Instance, Registry } from '@marimo/discovery';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Behaviour = (req: IncomingMessage, res: ServerResponse) => void;

/** A real HTTP server that behaves as it is told, and remembers what reached it. */
export class Backend {
  readonly seen: Seen[] = [];
  behave: Behaviour;
  readonly #server: Server;
  #instance: Instance | undefined;

  constructor(behave: Behaviour = answer(200, { ok: true })) {
    this.behave = behave;
    this.#server = createServer({ keepAliveTimeout: 70_000 }, (req, res) => {
      let body = '';
      req.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      req.on('end', () => {
        this.seen.push({ method: req.method ?? '', path: req.url ?? '', headers: req.headers, body });
        this.behave(req, res);
      });
    });
  }

  get instance(): Instance {
    if (this.#instance === undefined) throw new Error('not started');
    return this.#instance;
  }

  async start(service = 'accounting', port = 0): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(port, '127.0.0.1', done));
    const at = (this.#server.address() as AddressInfo).port;
    this.#instance = { id: `${service}-test-${at}`, service, host: '127.0.0.1', port: at, version: '1' };
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

export function answer(status: number, body: unknown, headers: Record<string, string> = {}): Behaviour {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  return (_, res) => {
    res
      .writeHead(status, { 'content-type': type, ...headers })
      .end(body === null ? '' : JSON.stringify(body));
  };
}

export function problem(status: number, code: string, facts: object = {}): Behaviour {
  return answer(status, {
    type: `urn:marimo:problem:${code}`,
    title: 'No',
    status,
    code,
    detail: 'Not so.',
    ...facts,
  });
}

export const hang: Behaviour = () => {};
export const reset: Behaviour = (req) => req.socket.resetAndDestroy();

/** Half of the answer, then a cut. */
export const breakOff: Behaviour = (req, res) => {
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  res.write('{"ok":', () => req.socket.destroy());
};

/** A registry whose instances the test sets. */
export class TestRegistry implements Registry {
  #instances: readonly Instance[] = [];
  readonly #listeners = new Set<(service: string) => void>();

  set(...instances: Instance[]): void {
    this.#instances = instances;
    for (const listener of this.#listeners) listener(instances[0]?.service ?? 'accounting');
  }
  instances(service: string): readonly Instance[] {
    return this.#instances.filter((instance) => instance.service === service);
  }
  onChange(listener: (service: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async register(): Promise<{ withdraw(): Promise<void> }> {
    return { withdraw: async () => {} };
  }
  async ready(): Promise<void> {}
  ageSeconds(): number {
    return 0;
  }
  source(): 'registry' {
    return 'registry';
  }
  async close(): Promise<void> {}
}
