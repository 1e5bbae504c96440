import { declareRecord, endpointsOf, eventsOf, text } from '@marimo/contracts/records';
import labels from './shelves.labels.json' with { type: 'json' };

/** A record as small as can be. */
export const record = declareRecord({
  service: 'config',
  name: 'shelf',
  plural: 'shelves',
  labels,
  key: ['code'],
  fields: { code: text(20, { required: true }), name: text(200, { required: true }) },
  filtered: ['code'],
  sorts: ['code'],
});

export const { list, get, create, change, archive, restore, importFile } = endpointsOf(record);
export const { created, changed } = eventsOf(record);
