import type { Fields } from './fields.ts';
import { fileEndpoints } from './file-endpoints.ts';
import { readingEndpoints } from './reading-endpoints.ts';
import type { RecordDeclaration, Transitions } from './record.ts';
import { writingEndpoints } from './writing-endpoints.ts';

/**
 * The endpoints of a record. A slice exports those it serves, and writes any of them by hand instead:
 * `export const { list, get, create } = endpointsOf(record)`.
 */
export function endpointsOf<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>) {
  return { ...readingEndpoints(record), ...writingEndpoints(record), ...fileEndpoints(record) };
}
