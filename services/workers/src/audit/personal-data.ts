import type { Envelope } from '@marimo/contracts';

type Json = Envelope['data'];

/** What stands in a record for what is not kept in it. */
const leftOut = '[personal data]';

/** Beside an address, these say who a person is. */
const namesOfPeople: ReadonlySet<string> = new Set(['name', 'inviter']);

/**
 * The audit is never changed, so nothing that somebody may have erased can stand in it: it names people by id. Left out
 * is whatever is called `email`, and the name beside it.
 *
 * Source: docs/domain/identity.md#personal-data
 */
export function withoutPersonalData(data: Json): Json {
  if (Array.isArray(data)) return data.map(withoutPersonalData);
  if (data === null || typeof data !== 'object') return data;
  const isPerson = Object.hasOwn(data, 'email');
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const hide = key === 'email' || (isPerson && namesOfPeople.has(key));
      return [key, hide && value !== null ? leftOut : withoutPersonalData(value)];
    }),
  );
}
