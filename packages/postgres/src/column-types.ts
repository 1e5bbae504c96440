import pg from 'pg';

const oid = { int8: 20, date: 1082, timestamp: 1114, int8Array: 1016, dateArray: 1182, textArray: 1009 };

/**
 * How columns arrive: bigint as `bigint`; numeric, date and timestamp without zone as their text (a `Date` would move
 * days between time zones); timestamptz as `Date`; json parsed; the rest as pg does.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') =>
    own.get(id) ?? pg.types.getTypeParser(id, format)) as typeof pg.types.getTypeParser,
};

const textArray = pg.types.getTypeParser(oid.textArray) as (text: string) => (string | null)[];

const own = new Map<number, (text: string) => unknown>([
  [oid.int8, BigInt],
  [oid.date, String],
  [oid.timestamp, String],
  [oid.dateArray, textArray],
  [oid.int8Array, (text) => textArray(text).map((item) => (item === null ? null : BigInt(item)))],
]);
