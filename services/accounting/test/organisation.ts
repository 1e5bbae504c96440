import { type AnyEndpoint, type Envelope, newId } from '@marimo/contracts';
import { accounts, type journalEntries } from '@marimo/contracts/accounting';
import { organisations } from '@marimo/contracts/users';
import type { CallInput } from '@marimo/resilience';
import {
  type Answer,
  type CallOptions,
  type ServiceUnderTest,
  serviceUnderTest,
  testClock,
  tokenFor,
} from '@marimo/testing';
import type { z } from 'zod';
import { accounting } from '../service.ts';

/** Everything is posted at this moment. */
export const clock = testClock('2026-03-31T09:00:00.000Z');

const baseCurrencies = new Map<string, string>();

/** The service, with a `users` that knows the organisations made below. */
export function startAccounting(): Promise<ServiceUnderTest> {
  return serviceUnderTest(accounting, {
    as: null,
    clock: clock.now,
    client: {
      async call(endpoint, input) {
        if ((endpoint as AnyEndpoint).path !== organisations.get.path)
          throw new Error('the ledger calls nothing else');
        const claims = JSON.parse(Buffer.from(input.bearer?.split('.')[1] ?? '', 'base64url').toString());
        const baseCurrency = baseCurrencies.get(claims.tid);
        return {
          status: 200,
          body: { id: claims.tid, name: 'Pine & Co', baseCurrency, language: 'en' },
        } as never;
      },
    },
  });
}

/** An organisation of a test's own, so that tests share a service and nothing else. */
export interface Organisation {
  readonly tenantId: string;
  call<E extends AnyEndpoint>(endpoint: E, input: CallInput<E>, options?: CallOptions): Promise<Answer<E>>;
  /** Adds accounts, assets unless told otherwise; gives their codes back. */
  accounts(...chart: readonly (string | Partial<accounts.NewAccount>)[]): Promise<void>;
  rows<Row = Record<string, unknown>>(table: string): Promise<Row[]>;
  events(type?: string): Promise<Envelope[]>;
}

export function organisationIn(service: ServiceUnderTest, baseCurrency = 'RUB'): Organisation {
  const tenantId = newId();
  baseCurrencies.set(tenantId, baseCurrency);
  const token = tokenFor({ tenantId });
  const call: Organisation['call'] = (endpoint, input, options) =>
    service.call(endpoint, input, { as: token, ...options });
  return {
    tenantId,
    call,
    async accounts(...chart) {
      for (const given of chart) {
        const { code = '', ...rest } = typeof given === 'string' ? { code: given } : given;
        const answer = await call(accounts.create, {
          body: { code, name: `Account ${code}`, type: 'asset', ...rest },
        });
        expect(answer.status).toBe(201);
      }
    },
    async rows<Row>(table: string) {
      const rows = await service.rows<Row & { tenant_id: string }>(table);
      return rows.filter(({ tenant_id }) => tenant_id === tenantId);
    },
    async events(type) {
      const events = await service.events();
      return events.filter(
        (each) => each.tenantid === tenantId && (type === undefined || each.type === type),
      );
    },
  };
}

export type EntryInput = z.input<typeof journalEntries.PostJournalEntry>;

interface EntryParts extends Partial<Omit<EntryInput, 'lines'>> {
  /** `51 debit 100.00`, or with a currency and what it is worth: `52 debit 10.00 USD 900.00`. */
  readonly lines?: readonly string[];
}

/** An entry as a caller would send it: goods worth 100.00 bought on credit, unless told otherwise. */
export function entry({
  lines = ['41 debit 100.00', '60 credit 100.00'],
  ...rest
}: EntryParts = {}): EntryInput {
  return {
    entryId: newId(),
    postingDate: '2026-03-31',
    description: 'Goods received',
    lines: lines.map((line) => {
      const [accountCode = '', side, amount = '', currency = 'RUB', baseAmount] = line.split(' ');
      return {
        accountCode,
        side: side as 'debit' | 'credit',
        amount: { amount, currency },
        ...(baseAmount !== undefined && { baseAmount: { amount: baseAmount, currency: 'RUB' } }),
      };
    }),
    ...rest,
  };
}
