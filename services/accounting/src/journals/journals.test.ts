import { Unavailable } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import { type ServiceUnderTest, serviceUnderTest } from '@marimo/testing';
import { accounting } from '../../service.ts';
import { type Organisation, organisationIn, startAccounting } from '../../test/organisation.ts';

let service: ServiceUnderTest;
let pine: Organisation;
beforeAll(async () => {
  service = await startAccounting();
});
afterAll(() => service?.stop());
beforeEach(() => {
  pine = organisationIn(service, 'KZT');
});

describe('the book of an organisation', () => {
  it('is opened at the first use of the ledger, in its base currency, with a general journal', async () => {
    const { body } = await pine.call(journals.list, {});
    expect(body.items).toMatchObject([{ code: 'GJ', name: 'General journal' }]);
    expect(await pine.rows('ledger_book')).toMatchObject([{ base_currency: 'KZT' }]);
    expect(await pine.events()).toMatchObject([{ type: journals.created.type, data: { code: 'GJ' } }]);
  });

  it('is opened once, also when the first uses come together', async () => {
    await Promise.all(Array.from({ length: 10 }, () => pine.call(journals.list, {})));
    expect(await pine.rows('journal')).toHaveLength(1);
    expect(await pine.events()).toHaveLength(1);
  });

  it('cannot be opened while nobody can tell its currency; then it can be tried again', async () => {
    const alone = await serviceUnderTest(accounting);
    try {
      expect(await alone.call(journals.list, {})).toBeRefused(Unavailable, { service: 'users' });
      expect(await alone.rows('ledger_book')).toEqual([]);
    } finally {
      await alone.stop();
    }
  });
});

describe('adding a journal', () => {
  const sales = { code: 'SALES', name: 'Sales' };

  it('adds it, with one event', async () => {
    const answer = await pine.call(journals.create, { body: sales });
    expect(answer.status).toBe(201);
    const { body } = await pine.call(journals.list, {});
    expect(body.items.map(({ code }) => code)).toEqual(['GJ', 'SALES']);
    expect((await pine.events(journals.created.type)).map(({ data }) => data)).toContainEqual(answer.json);
  });

  it('can be repeated', async () => {
    const first = await pine.call(journals.create, { body: sales });
    const again = await pine.call(journals.create, { body: sales });
    expect(again.status).toBe(200);
    expect(again.json).toEqual(first.json);
    expect(await pine.events(journals.created.type)).toHaveLength(2);
  });

  it('refuses a code that another journal has', async () => {
    await pine.call(journals.create, { body: sales });
    const answer = await pine.call(journals.create, { body: { code: 'SALES', name: 'Sales abroad' } });
    expect(answer).toBeRefused(journals.JournalCodeTaken, { journalCode: 'SALES' });
  });
});
