import { lines, text, wholeNumber } from '@marimo/contracts/records';
import { differences } from './history.ts';

it('says of lines what has changed without what is personal in them', () => {
  const fields = { parts: lines({ keeper: text(50, { personal: true }), count: wholeNumber() }) };
  const record = { grammar: { fields } } as unknown as Parameters<typeof differences>[0];
  const before = { parts: [{ lineId: 'a', keeper: 'Anna', count: 1 }] };
  const after = { parts: [{ lineId: 'a', keeper: 'Boris', count: 2 }] };
  expect(differences(record, before, after)).toEqual([
    { field: 'parts', from: [{ lineId: 'a', count: 1 }], to: [{ lineId: 'a', count: 2 }] },
  ]);
});
