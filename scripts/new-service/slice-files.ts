import type { Names } from './names.ts';

/** A slice that adds, lists and shows one resource; by path from the project's root. */
export function sliceFiles(names: Names, migrationNumber: string): Record<string, string> {
  const folder = `services/${names.service}`;
  const slice = `${folder}/src/${names.kebabs}`;
  return {
    [`${slice}/routes.ts`]: routes(names),
    [`${slice}/store.ts`]: store(names),
    [`${slice}/${names.kebabs}.test.ts`]: test(names),
    [`${folder}/migrations/${migrationNumber}_${names.snake}.sql`]: migration(names),
  };
}

const routes = ({
  service,
  camel,
  camels,
  pascal,
  pascals,
  words,
}: Names) => `import { ${camels} } from '@marimo/contracts/${service}';
import { type Deps, handle, type Route, readPage, reply, requireFound } from '@marimo/service-kit';
import { z } from 'zod';
import { get${pascal}, insert${pascal}, list${pascals} } from './store.ts';

const byId = { parts: [z.uuid()], keyOf: ({ ${camel}Id }: ${camels}.${pascal}) => [${camel}Id] } as const;

export const ${camel}Routes = ({ outbox }: Deps): readonly Route[] => [
  handle(${camels}.create, (call) =>
    call.inTenant(async (tx) => {
      const ${camel} = call.body;
      if (!(await insert${pascal}(tx, ${camel}))) {
        const present = await get${pascal}(tx, ${camel}.${camel}Id);
        if (present?.name !== ${camel}.name) throw new ${camels}.${pascal}Conflict({ ${camel}Id: ${camel}.${camel}Id });
        return reply(200, ${camel});
      }
      // Same transaction: a ${words} without its event would be missing from the audit.
      await outbox.add(tx, ${camels}.created, ${camel}.${camel}Id, ${camel});
      return reply(201, ${camel});
    }),
  ),

  handle(${camels}.list, async (call) =>
    reply(
      200,
      await readPage(call.query, byId, ({ after, limit }) =>
        call.readInTenant((tx) => list${pascals}(tx, after?.[0], limit)),
      ),
    ),
  ),

  handle(${camels}.get, async (call) => {
    const found = await call.readInTenant((tx) => get${pascal}(tx, call.params.${camel}Id));
    return reply(200, requireFound(found, '${words}'));
  }),
];
`;

const store = ({
  service,
  camel,
  camels,
  pascal,
  pascals,
  snake,
}: Names) => `import type { ${camels} } from '@marimo/contracts/${service}';
import type { TenantTransaction } from '@marimo/postgres';

const columns = '${snake}_id as "${camel}Id", name';

/** False when the id is taken. */
export async function insert${pascal}(
  tx: TenantTransaction,
  { ${camel}Id, name }: ${camels}.${pascal},
): Promise<boolean> {
  const sql = \`
    insert into ${snake} (tenant_id, ${snake}_id, name) values ($1, $2, $3)
    on conflict (tenant_id, ${snake}_id) do nothing\`;
  return (await tx.run(sql, [tx.tenantId, ${camel}Id, name])) === 1;
}

export function get${pascal}(tx: TenantTransaction, ${camel}Id: string): Promise<${camels}.${pascal} | undefined> {
  const sql = \`select \${columns} from ${snake} where tenant_id = $1 and ${snake}_id = $2\`;
  return tx.first<${camels}.${pascal}>(sql, [tx.tenantId, ${camel}Id]);
}

export function list${pascals}(
  tx: TenantTransaction,
  after: string | undefined,
  limit: number,
): Promise<${camels}.${pascal}[]> {
  const sql = \`
    select \${columns} from ${snake}
    where tenant_id = $1 and ($2::uuid is null or ${snake}_id > $2)
    order by ${snake}_id
    limit $3\`;
  return tx.rows<${camels}.${pascal}>(sql, [tx.tenantId, after, limit]);
}
`;

const test = ({
  service,
  camel,
  camels,
  pascal,
  snake,
  words,
  plural,
}: Names) => `import { Absent, MalformedRequest, newId } from '@marimo/contracts';
import { ${camels} } from '@marimo/contracts/${service}';
import { tokenFor, useService } from '@marimo/testing';
import { ${service} } from '../../service.ts';

const service = useService(${service});
const ${camel} = (name = 'Pine') => ({ ${camel}Id: newId(), name });

describe('adding a ${words}', () => {
  it('stores it, with one event', async () => {
    const body = ${camel}();
    expect((await service.call(${camels}.create, { body })).status).toBe(201);
    expect((await service.call(${camels}.get, { params: { ${camel}Id: body.${camel}Id } })).body).toEqual(body);
    const events = await service.eventsOf(${camels}.created, { subject: body.${camel}Id });
    expect(events.map(({ data }) => data)).toEqual([body]);
  });

  it('refuses one without a name and stores nothing', async () => {
    await service.refusedStoringNothing(${camels}.create, { body: ${camel}(' ') }, MalformedRequest);
  });

  it('can be repeated', async () => {
    await service.canBeRepeated(${camels}.create, { body: ${camel}() });
  });

  it('refuses the id of another ${words}', async () => {
    const body = ${camel}();
    await service.call(${camels}.create, { body });
    const other = { body: { ...body, name: 'Oak' } };
    await service.refusedStoringNothing(${camels}.create, other, ${camels}.${pascal}Conflict);
  });
});

describe('the ${plural} of an organisation', () => {
  it('are listed page by page, each once', async () => {
    const as = tokenFor({ tenantId: newId() });
    const added = [${camel}('A'), ${camel}('B'), ${camel}('C')].sort((a, b) => (a.${camel}Id < b.${camel}Id ? -1 : 1));
    for (const body of added) await service.call(${camels}.create, { body }, { as });
    const first = await service.call(${camels}.list, { query: { limit: 2 } }, { as });
    const rest = await service.call(${camels}.list, { query: { limit: 2, after: first.body.next ?? '' } }, { as });
    expect([...first.body.items, ...rest.body.items]).toEqual(added);
    expect(rest.body.next).toBeNull();
  });

  it('are absent for another organisation', async () => {
    const body = ${camel}();
    await service.call(${camels}.create, { body });
    const as = tokenFor({ tenantId: newId() });
    const answer = await service.call(${camels}.get, { params: { ${camel}Id: body.${camel}Id } }, { as });
    expect(answer).toBeRefused(Absent);
    expect(await service.rows('${snake}')).not.toEqual([]);
  });
});
`;

const migration = ({
  service,
  snake,
  plural,
}: Names) => `-- The ${plural} of each organisation. Ids are the callers' own, so that a repeated request adds nothing.
create table ${snake} (
  tenant_id uuid not null,
  ${snake}_id uuid not null,
  name text not null check (name <> ''),
  primary key (tenant_id, ${snake}_id)
);
select marimo.protect_tenant_table('${snake}');
revoke update, delete on ${snake} from ${service}_app;
`;
