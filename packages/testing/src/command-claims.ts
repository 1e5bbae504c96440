import type { AnyEndpoint, Envelope, EventDefinition } from '@marimo/contracts';
import type { DeclaredRefusal } from '@marimo/problems';
import type { CallInput } from '@marimo/resilience';
import type { Answer } from './answer.ts';
import type { CallOptions, TypedCall } from './call.ts';
import type { TestDatabase } from './database.ts';

/** What tests of commands claim again and again. */
export interface CommandClaims {
  /** The events of this type, in the order they happened; of one subject or organisation where told. */
  eventsOf(event: EventDefinition, of?: Partial<Pick<Envelope, 'subject' | 'tenantid'>>): Promise<Envelope[]>;
  /** The command is refused, no row of any table differs afterwards, and no event was added. */
  refusedStoringNothing<E extends AnyEndpoint>(
    endpoint: E,
    input: CallInput<E>,
    refusal: DeclaredRefusal,
    options?: CallOptions & { readonly facts?: Readonly<Record<string, unknown>> },
  ): Promise<Answer<E>>;
  /** The same request again is answered alike and changes nothing. Resolves with the first answer. */
  canBeRepeated<E extends AnyEndpoint>(
    endpoint: E,
    input: CallInput<E>,
    options?: CallOptions,
  ): Promise<Answer<E>>;
}

/** They change beside the command: the relay sends, and the kit keeps answers to keyed requests. */
const moving = ['outbox', 'inbox', 'delivery', 'idempotency_key'];

interface Commanded {
  readonly call: TypedCall;
  events(): Promise<Envelope[]>;
  readonly database: TestDatabase;
}

export function commandClaims(service: Commanded): CommandClaims {
  const stored = async () => ({
    rows: await rowsOf(service.database),
    events: (await service.events()).map(({ id, type }) => `${type} ${id}`).sort(),
  });
  return {
    async eventsOf({ type }, of = {}) {
      const wanted = Object.entries({ type, ...of });
      return (await service.events()).filter((event) =>
        wanted.every(([name, value]) => event[name as keyof Envelope] === value),
      );
    },
    async refusedStoringNothing(endpoint, input, refusal, { facts, ...options } = {}) {
      const before = await stored();
      const answer = await service.call(endpoint, input, options);
      expect(answer).toBeRefused(refusal, facts);
      expect(await stored()).toEqual(before);
      return answer;
    },
    async canBeRepeated(endpoint, input, options) {
      const first = await service.call(endpoint, input, options);
      expect(first.problem).toBeUndefined();
      const afterOnce = await stored();
      const again = await service.call(endpoint, input, options);
      expect(again.problem).toBeUndefined();
      expect(again.json).toEqual(first.json);
      expect(await stored()).toEqual(afterOnce);
      return first;
    },
  };
}

/** `table: row` for all rows of all tables. */
async function rowsOf(database: TestDatabase): Promise<string[]> {
  const tables = await database.sql<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relkind = 'r' and relname <> all ($1)`,
    [moving],
  );
  if (tables.length === 0) return [];
  const each = tables.map(({ name }) => `select '${name}: ' || t as row from "${name}" t`);
  const rows = await database.sql<{ row: string }>(`${each.join(' union all ')} order by 1`);
  return rows.map(({ row }) => row);
}
