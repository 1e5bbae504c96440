import type { AnyRecord } from '@marimo/contracts/records';
import { rentalInvoices } from '@marimo/testing/records';
import { fileColumns } from './file-columns.ts';
import { openRecordFile } from './read-records.ts';
import { ZoneClock } from './zone-time.ts';

const record = rentalInvoices.record as unknown as AnyRecord;

async function readFrom(text: string, contentType: string) {
  const stream = (async function* () {
    yield Buffer.from(text);
  })();
  const reading = { record, custom: [], hidden: [], mapping: undefined, clock: new ZoneClock('UTC') };
  const file = await openRecordFile(stream, contentType, reading);
  try {
    const read = [];
    for await (const { given } of file.records()) read.push(given);
    return read;
  } finally {
    await file.close();
  }
}

describe('fields that the service alone writes', () => {
  it('have columns in a file, which nobody is asked to fill in', () => {
    const columns = fileColumns(record, []);
    const derived = columns.filter(({ declared }) => declared.isDerived);
    expect(derived.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['number', 'gross.amount', 'gross.currency', 'lines.net.amount']),
    );
    expect(new Set(derived.map(({ use }) => use))).toEqual(new Set(['passed over']));
    expect(columns.find(({ name }) => name === 'lines.price.amount')?.use).toBe('written');
  });

  it('are passed over in a table', async () => {
    const csv =
      'customerName,number,gross.amount,lines.name,lines.net.amount\nOak,INV-1,100.00,Drill,90.00\n';
    expect(await readFrom(csv, 'text/csv')).toEqual([{ customerName: 'Oak', lines: [{ name: 'Drill' }] }]);
  });

  it('are passed over in JSON, in lines too', async () => {
    const money = { amount: '1.00', currency: 'RUB' };
    const lines = [{ name: 'Drill', price: money, net: money, tax: money }];
    const json = JSON.stringify({ customerName: 'Oak', number: 'INV-1', gross: money, lines, version: 2 });
    expect(await readFrom(`${json}\n`, 'application/x-ndjson')).toEqual([
      { customerName: 'Oak', lines: [{ name: 'Drill', price: money }] },
    ]);
  });
});
