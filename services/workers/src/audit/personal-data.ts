import { type Envelope, type Hidden, replacePersonal } from '@marimo/contracts';
import { events } from '@marimo/contracts/all';

type Json = Envelope['data'];

const dataOf = new Map(events.map(({ type, data }) => [type as string, data]));

/** What stands in a record for what is not kept in it. */
const leftOut: Readonly<Record<Hidden, string>> = {
  personal: '[personal data]',
  undeclared: '[not declared]',
};

/**
 * The audit is never changed, so data that may have to be erased must not enter it: fields that the event's contract
 * marks as personal are left out. So is what the contract does not declare: fields of a newer version, and all data of
 * an event type that this version does not know.
 *
 * Source: docs/domain/identity.md#personal-data
 */
export function withoutPersonalData({ type, data }: Pick<Envelope, 'type' | 'data'>): Json {
  return replacePersonal(dataOf.get(type), data, (_, why) => leftOut[why]);
}
