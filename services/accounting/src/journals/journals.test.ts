import { newId, Unavailable } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import { sessions } from '@marimo/contracts/users';
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
  const register = (id?: string) =>
    service.deliver(sessions.organisationRegistered, {
      ...(id !== undefined && { id }),
      tenantId: pine.tenantId,
      data: {
        organisation: {
          id: pine.tenantId,
          name: 'Pine',
          baseCurrency: 'KZT',
          language: 'ru',
          timeZone: 'Asia/Almaty',
          state: 'active',
        },
        admin: {
          id: newId(),
          name: 'Anna',
          email: 'anna@example.com',
          emailVerified: true,
          language: 'ru',
          timeZone: 'Asia/Almaty',
        },
      },
    });

  it('is opened when the organisation registers, with a general journal in its language', async () => {
    await register();
    const { body } = await pine.call(journals.list, {});
    expect(body.items).toMatchObject([{ code: 'GJ', name: 'Общий журнал' }]);
    expect(await pine.rows('ledger_book')).toMatchObject([{ base_currency: 'KZT' }]);
    expect(await pine.events()).toMatchObject([{ type: journals.created.type, data: { code: 'GJ' } }]);
  });

  it('is opened by the first write where the registration has not arrived yet', async () => {
    await pine.call(journals.create, { body: { code: 'SALES', name: 'Sales' } });
    expect(await pine.rows('ledger_book')).toMatchObject([{ base_currency: 'KZT' }]);
    await register();
    const { body } = await pine.call(journals.list, {});
    expect(body.items.map(({ name }) => name)).toEqual(['General journal', 'Sales']);
  });

  it('is opened once, also when the first writes and the registration come together', async () => {
    const writes = Array.from({ length: 10 }, (_, place) =>
      pine.call(journals.create, { body: { code: `J${place}`, name: 'Sales' } }),
    );
    await Promise.all([...writes, register(), register()]);
    expect((await pine.rows<{ code: string }>('journal')).filter(({ code }) => code === 'GJ')).toHaveLength(
      1,
    );
    expect(await pine.rows('ledger_book')).toHaveLength(1);
  });

  it('is not opened by reading', async () => {
    expect((await pine.call(journals.list, {})).body.items).toEqual([]);
    expect(await pine.rows('ledger_book')).toEqual([]);
  });

  it('cannot be opened while its currency is unknown; then it can be tried again', async () => {
    const alone = await serviceUnderTest(accounting);
    try {
      const sales = { body: { code: 'SALES', name: 'Sales' } };
      expect(await alone.call(journals.create, sales)).toBeRefused(Unavailable, { service: 'users' });
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
