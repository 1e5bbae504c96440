import { newId } from '@marimo/contracts';
import {
  declareRecord,
  email,
  endpointsOf,
  eventsOf,
  longText,
  mirrorEndpointsOf,
  money,
  text,
  transitionsOf,
} from '@marimo/contracts/records';
import labels from './partners.labels.json' with { type: 'json' };

/** A record of another service, to which tools refer. */
export const record = declareRecord({
  service: 'main',
  name: 'partner',
  plural: 'partners',
  labels,
  key: ['code'],
  fields: {
    code: text(20, { required: true }),
    name: text(200, { required: true }),
    currency: text(3),
    contactEmail: email({ personal: true }),
    creditLimit: money(),
    notes: longText(2_000),
  },
  filtered: ['code'],
  sorts: ['code'],
  states: ['active', 'blocked'],
  transitions: { block: { from: ['active'], to: 'blocked', event: 'blocked' } },
});

export const { create, change, archive, restore } = endpointsOf(record);
export const { mirror } = mirrorEndpointsOf(record, 'config');
export const { block } = transitionsOf(record);
export const { created, changed, blocked } = eventsOf(record);

/** A partner as its events tell of it. */
export function partnerWith(given: Partial<ValueOf> = {}): ValueOf {
  const at = new Date('2026-03-01T10:00:00Z');
  return {
    partnerId: newId(),
    code: 'P-1',
    name: 'Первый поставщик',
    currency: 'RUB',
    contactEmail: null,
    creditLimit: null,
    notes: null,
    state: 'active',
    archived: false,
    version: 1,
    createdAt: at,
    createdBy: newId(),
    changedAt: at,
    changedBy: newId(),
    ...given,
  };
}
type ValueOf = (typeof record)['value']['_output'];
