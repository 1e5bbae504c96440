import type { TestDatabase } from '../database.ts';

/** Fills the table of tools with rows of many organisations, by plain SQL; the first has a hundredth of all. */
export async function insertManyTools(
  { sql }: Pick<TestDatabase, 'sql'>,
  { tools, tenantIds }: { readonly tools: number; readonly tenantIds: readonly string[] },
): Promise<void> {
  await sql(
    `insert into tool (tenant_id, tool_id, code, name, kind, bought_on, is_lent, pieces, length_metres, price_minor,
                       price_currency, tags, state, custom, archived, version, created_at, created_by, changed_at, changed_by)
     select ($2::uuid[])[1 + n % cardinality($2::uuid[])], gen_random_uuid(), 'T-' || lpad(n::text, 8, '0'),
            (array['Hammer', 'Drill', 'Молоток', 'Дрель', 'Уровень'])[1 + n % 5] || ' ' || n,
            (array['hand', 'power', 'gauge'])[1 + n % 3], case when n % 7 = 0 then null else date '2020-01-01' + n % 2000 end,
            n % 11 = 0, 1 + n % 100, (n % 1000) / 100.0, n % 100000, (array['RUB', 'EUR', 'JPY'])[1 + n % 3],
            array['tag' || n % 50], (array['new', 'inUse', 'retired'])[1 + n % 3], '{}', n % 20 = 0, 1,
            now() - n * interval '1 second', gen_random_uuid(), now(), gen_random_uuid()
     from generate_series(1, $1) as n`,
    [tools, tenantIds],
  );
  await sql('analyze tool');
}
