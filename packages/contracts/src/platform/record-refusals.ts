import { refusal } from '@marimo/problems';
import { z } from 'zod';

/** What any record can refuse. */
export class KeyTaken extends refusal(z.object({ fields: z.array(z.string()), id: z.string().nullable() }), {
  code: 'platform.key-taken',
  kind: 'conflict',
  title: 'Another record has this value',
  detail: ({ fields }) =>
    `${fields.join(' and ')} must be unique. Choose another value, or change that record.`,
}) {}

export class RecordIdReused extends refusal(z.object({ id: z.string() }), {
  code: 'platform.record-id-reused',
  kind: 'conflict',
  title: 'A record with this id exists with other content',
  detail: ({ id }) => `${id} was created with other content. Send a new id, or change that record.`,
}) {}

export class ReferenceUnknown extends refusal(
  z.object({ field: z.string(), resource: z.string(), id: z.string(), isArchived: z.boolean() }),
  {
    code: 'platform.reference-unknown',
    kind: 'refused',
    title: 'A record that is referred to cannot be used',
    detail: ({ field, resource, id, isArchived }) =>
      isArchived
        ? `${field}: the ${resource} ${id} is archived. Restore it first, or choose another.`
        : `${field}: there is no ${resource} ${id}. Create it first, or correct the id.`,
  },
) {}

export class FieldFixed extends refusal(
  z.object({ fields: z.array(z.string()), state: z.string().nullable() }),
  {
    code: 'platform.field-fixed',
    kind: 'conflict',
    title: 'These fields cannot be changed any more',
    detail: ({ fields, state }) =>
      state === null
        ? `${fields.join(', ')} cannot be changed after creation.`
        : `${fields.join(', ')} cannot be changed in the state ${state}.`,
  },
) {}

export class StateUnfit extends refusal(z.object({ state: z.string(), states: z.array(z.string()) }), {
  code: 'platform.state-unfit',
  kind: 'conflict',
  title: 'The record is in another state',
  detail: ({ state, states }) => `It is ${state}; this is possible only from ${states.join(' or ')}.`,
}) {}

export class RecordArchived extends refusal(z.object({}), {
  code: 'platform.record-archived',
  kind: 'conflict',
  title: 'The record is archived',
  detail: () => 'Restore it before you change it.',
}) {}

export class TooManyGroups extends refusal(z.object({ most: z.int() }), {
  code: 'platform.too-many-groups',
  kind: 'refused',
  title: 'The summary has too many groups',
  detail: ({ most }) => `Group by fewer or coarser fields, or filter: at most ${most} groups are returned.`,
}) {}

export class MeasureTooLarge extends refusal(z.object({ field: z.string(), currency: z.string() }), {
  code: 'platform.measure-too-large',
  kind: 'refused',
  title: 'A sum is beyond what can be represented',
  detail: ({ field, currency }) =>
    `The sum of ${field} in ${currency} is too large. Filter, or group more finely.`,
}) {}

export class CustomFieldUnfit extends refusal(
  z.object({
    reason: z.enum([
      'record-unknown',
      'name-malformed',
      'options-missing',
      'options-superfluous',
      'too-many',
    ]),
    records: z.array(z.string()),
    most: z.int(),
  }),
  {
    code: 'platform.custom-field-unfit',
    kind: 'refused',
    title: 'The custom field cannot be added',
    detail: ({ reason, records, most }) =>
      ({
        'record-unknown': `Custom fields can be added to ${records.join(', ')}.`,
        'name-malformed': 'The name consists of Latin letters and digits and begins with a small letter.',
        'options-missing': 'A choice needs at least one value in options.',
        'options-superfluous': 'Only a choice has options.',
        'too-many': `A record has at most ${most} custom fields. Archive one that is not used.`,
      })[reason],
  },
) {}
