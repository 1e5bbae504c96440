import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
import { forServices } from '../permission.ts';
import type { ActingService } from '../services.ts';
import type { Fields } from './fields.ts';
import { listOf } from './list-query.ts';
import { listedFields, type RecordDeclaration, type Transitions } from './record.ts';

const mostInMirrorPage = 500;
/** Their ids fill a query of 4 KB. */
export const mostMirroredByIds = 100;

/**
 * What services keep their mirrors of a record with; those named and no other may ask:
 * `export const { mirror } = mirrorEndpointsOf(record, 'accounting', 'shop')`.
 */
export function mirrorEndpointsOf<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>, ...services: readonly [ActingService, ...ActingService[]]) {
  const { path, listed, labels } = record;
  const known = z.enum(listedFields(record) as [string, ...string[]]);
  return {
    mirror: endpoint({
      method: 'GET',
      path: `${path.replace('/api/v1/', '/internal/')}/mirror`,
      summary: `Lists ${labels.many.en.toLowerCase()} by id for services that mirror them, archived ones included.`,
      access: forServices(...services),
      query: z.strictObject({
        /** Only these fields are returned, with the id and the version; all but lines unless told. */
        fields: listOf(known).optional(),
        /** These and no others; without a next page. */
        ids: listOf(Id, mostMirroredByIds).optional(),
        /** Those behind this id. */
        after: Id.optional(),
        changedFrom: Instant.optional(),
        limit: z.coerce.number().int().min(1).max(mostInMirrorPage).default(mostInMirrorPage),
      }),
      replies: {
        200: z.strictObject({
          items: z.array(listed),
          next: Id.nullable(),
          /** By the clock that writes `changedAt`, before the page was read. */
          asOf: Instant,
        }),
      },
    }),
  };
}
