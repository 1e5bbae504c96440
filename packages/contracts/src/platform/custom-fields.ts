import { endpointsOf } from '../records/endpoints.ts';
import { choice, flag, tags, text, wholeNumber } from '../records/fields.ts';
import { declareRecord } from '../records/record.ts';
import { eventsOf } from '../records/transitions.ts';
import type { ServiceName } from '../services.ts';
import labels from './custom-fields.labels.json' with { type: 'json' };
import { CustomFieldUnfit } from './record-refusals.ts';

const customFieldKinds = [
  'text',
  'choice',
  'day',
  'flag',
  'wholeNumber',
  'decimal',
  'email',
  'phone',
] as const;

/**
 * The fields that organisations add to the records of a service. Their values stand in `custom` of the record, by name; lists
 * are filtered and sorted by `custom.<name>`. The service's contract hands it on as `customFields`.
 */
export function customFieldsOf(service: ServiceName) {
  const record = declareRecord({
    service,
    name: 'customField',
    plural: 'custom-fields',
    labels,
    key: ['recordName', 'name'],
    fields: {
      recordName: text(60, { required: true, fixed: true }),
      name: text(40, { required: true, fixed: true }),
      kind: choice(customFieldKinds, { required: true, fixed: true }),
      labelEn: text(100, { required: true }),
      labelRu: text(100, { required: true }),
      options: tags(),
      isRequired: flag(),
      position: wholeNumber({ min: 0, max: 1_000, default: 0 }),
    },
    filtered: ['recordName'],
    sorts: ['recordName,name'],
    refusals: [CustomFieldUnfit],
  });
  const { list, get, create, change, archive, restore } = endpointsOf(record);
  const { created, changed } = eventsOf(record);
  return { record, list, get, create, change, archive, restore, created, changed };
}
export type CustomFieldsContract = ReturnType<typeof customFieldsOf>;
