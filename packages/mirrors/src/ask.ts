import { mostMirroredByIds } from '@marimo/contracts/records';
import type { RecordValues } from '@marimo/records';
import type { ServiceClient } from '@marimo/resilience';
import type { Mirror } from './mirror.ts';

export interface Asking {
  readonly client: Pick<ServiceClient, 'call'>;
  readonly organisationId: string;
  readonly deadlineAt?: number;
  readonly signal?: AbortSignal;
}

export interface OriginalsPage {
  readonly items: readonly RecordValues[];
  readonly next: string | null;
  readonly asOf: Date;
}

/** A page of the originals behind an id, from the other service, in the organisation. */
export async function askForPage(
  { endpoint, fields }: Mirror,
  { client, ...asking }: Asking,
  { after, changedFrom }: { readonly after: string | null; readonly changedFrom: Date | undefined },
): Promise<OriginalsPage> {
  const query = {
    fields: fields.join(','),
    ...(after !== null && { after }),
    ...(changedFrom !== undefined && { changedFrom: changedFrom.toISOString() }),
  };
  const { body } = await client.call(endpoint, { ...asking, query });
  return body as unknown as OriginalsPage;
}

/** The originals with these ids, as far as there are any. */
export async function askByIds(
  { endpoint, fields }: Mirror,
  { client, ...asking }: Asking,
  ids: readonly string[],
): Promise<RecordValues[]> {
  const found: RecordValues[] = [];
  for (let place = 0; place < ids.length; place += mostMirroredByIds) {
    const some = ids.slice(place, place + mostMirroredByIds).join(',');
    const { body } = await client.call(endpoint, {
      ...asking,
      query: { fields: fields.join(','), ids: some },
    });
    found.push(...(body.items as unknown as RecordValues[]));
  }
  return found;
}
