import { asAdministrator, type ServerAddress } from '@marimo/postgres';

/** All that the database holds of one tenant. */
export interface ContentOfTenant {
  /** `schema.column` → some of its values, newest tables included; what paths and bodies can name. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** `schema.table` → its rows of this tenant, as one text. */
  readonly tables: Readonly<Record<string, string>>;
}

/** They move by themselves: the relay sends, workers count and send again. */
const moving = ['outbox', 'inbox', 'email', 'email_due', 'delivery', 'idempotency_key', 'job'];

interface Column {
  readonly schema: string;
  readonly table: string;
  readonly columns: string[];
}

export function contentOf(server: ServerAddress, tenantId: string): Promise<ContentOfTenant> {
  return asAdministrator(server, async (client) => {
    const { rows: found } = await client.query<Column>(
      `select c.table_schema as schema, c.table_name as table, array_agg(c.column_name::text) as columns
         from information_schema.columns c
         join information_schema.tables t using (table_schema, table_name)
        where t.table_type = 'BASE TABLE' and c.table_schema in ('users', 'accounting', 'workers')
        group by 1, 2
       having bool_or(c.column_name = 'tenant_id')
        order by 1, 2`,
    );
    const values = new Map<string, string[]>();
    const tables: Record<string, string> = {};
    for (const { schema, table, columns } of found) {
      const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
      const { rows } = await client.query<{ row: Record<string, unknown>; text: string }>(
        `select to_jsonb(t) as row, t::text as text from ${name} t where tenant_id = $1 order by text`,
        [tenantId],
      );
      if (!moving.includes(table)) tables[`${schema}.${table}`] = rows.map(({ text }) => text).join('\n');
      for (const column of columns) {
        const texts = rows.map(({ row }) => row[column]).filter((value) => typeof value === 'string');
        const known = values.get(`${schema}.${column}`) ?? [];
        if (texts.length > 0) values.set(`${schema}.${column}`, [...known, ...texts]);
      }
    }
    return { values, tables };
  });
}
