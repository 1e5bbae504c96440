import type { IncomingMessage } from 'node:http';
import { newId } from '@marimo/contracts';

/** A request id from outside is kept only if it looks like one: it goes into logs and headers. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{8,100}$/.test(given) ? given : newId();
}
