import type { ChildProcess } from 'node:child_process';
import type { ServiceName } from '@marimo/contracts';

export interface RequestLines {
  /** How many statements a service sent to its database for a request; known once its line is in the log. */
  statementsFor(service: ServiceName, requestId: string): Promise<number>;
  close(): void;
}

/** Reads the line that each service logs of each request, from now on. */
export function readRequestLines({ stdout }: ChildProcess): RequestLines {
  if (stdout === null) throw new Error('what the platform prints goes elsewhere');
  const known = new Map<string, number>();
  const awaited = new Map<string, (statements: number) => void>();
  let rest = '';
  const read = (chunk: Buffer) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter((one) => one.includes('"message":"request"'))) {
      const { 'service.name': service, 'request.id': requestId, statements } = JSON.parse(line);
      if (typeof statements !== 'number') continue; // the gateway has no database
      const key = `${service} ${requestId}`;
      known.set(key, statements);
      awaited.get(key)?.(statements);
    }
  };
  stdout.on('data', read);
  return {
    async statementsFor(service, requestId) {
      const key = `${service} ${requestId}`;
      return known.get(key) ?? new Promise((resolve) => awaited.set(key, resolve));
    },
    close: () => void stdout.off('data', read),
  };
}
