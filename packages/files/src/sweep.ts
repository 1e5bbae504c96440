import type { Log } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { keyOf } from './files.ts';
import { deleteUnreferenced, type FilePlace, listUnknown } from './store.ts';
import type { ObjectStore } from './stores/object-store.ts';

export interface SweepOptions {
  readonly service: string;
  /** As the relay, which works for all tenants at once. */
  readonly relay: Database;
  readonly store: ObjectStore;
  readonly log: Log;
}

/** Rows that go in one transaction; a crash leaves at most so many objects without one. */
const atOnce = 100;
const lookedUpAtOnce = 500;

/** Deletes the files that nothing has referred to since this moment. Safe beside others that do the same. */
export async function sweepFiles({ service, relay, store }: SweepOptions, before: Date): Promise<void> {
  for (;;) {
    const gone = await relay.withoutTenant((tx) => deleteUnreferenced(tx, before, atOnce));
    for (const place of gone) await store.delete(keyOf(service, place)); // the row went first: nobody reads it now
    if (gone.length === 0) return;
  }
}

/**
 * Deletes what lies in the store for no file: uploads that broke off with their process, and objects whose row never came
 * or went before a crash. When most objects have no row, the database is more likely wrong than the store, and all stay.
 *
 * Units: `before` lies further back than the longest upload.
 */
export async function sweepObjects(
  { service, relay, store, log }: SweepOptions,
  before: Date,
): Promise<void> {
  await store.deleteUnfinished(before);
  const prefix = `${service}/`;
  const unknown: FilePlace[] = [];
  let all = 0;
  for await (const places of inGroups(oldFiles(store, prefix, before))) {
    all += places.length;
    unknown.push(...(await relay.withoutTenant((tx) => listUnknown(tx, places))));
  }
  if (unknown.length > atOnce && unknown.length * 2 > all) {
    log.error('most stored files are unknown to the database: is it the right one? Nothing was deleted', {
      unknown: unknown.length,
      all,
    });
    return;
  }
  for (const place of unknown) await store.delete(keyOf(service, place));
}

async function* oldFiles(store: ObjectStore, prefix: string, before: Date): AsyncGenerator<FilePlace> {
  for await (const { key, storedAt } of store.list(prefix)) {
    if (storedAt >= before) continue;
    const [tenantId, fileId, ...rest] = key.slice(prefix.length).split('/');
    // What is not of our making is not ours to delete.
    if (isUuid(tenantId) && isUuid(fileId) && rest.length === 0) yield { tenantId, fileId };
  }
}

async function* inGroups(places: AsyncIterable<FilePlace>): AsyncGenerator<FilePlace[]> {
  let group: FilePlace[] = [];
  for await (const place of places) {
    group.push(place);
    if (group.length < lookedUpAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function isUuid(text: string | undefined): text is string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text ?? '');
}
