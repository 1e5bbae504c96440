import type { Names } from './names.ts';

export function sliceFiles(names: Names, folder: string): Record<string, string> {
  return {
    [`${folder}/index.ts`]: `export { ${names.camel}Routes } from './routes.ts';\n`,
    [`${folder}/routes.ts`]: routes(names),
    [`${folder}/${names.kebabs}.ts`]: rules(names),
    [`${folder}/store.ts`]: store(names),
    [`${folder}/${names.kebabs}.test.ts`]: test(names),
  };
}

const routes = ({
  service,
  kebabs,
  camel,
  camels,
  pascal,
  pascals,
  words,
}: Names) => `import { Absent } from '@marimo/contracts';
import { ${camel}Created, create${pascal}, get${pascal}, list${pascals} } from '@marimo/contracts/${service}';
import { cursorOf, type Deps, handle, type Route, readCursor, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { demandSame } from './${kebabs}.ts';
import { insert${pascal}, ${camel}WithId, ${camels}After } from './store.ts';

export function ${camel}Routes({ outbox }: Deps): Route[] {
  return [
    handle(create${pascal}, (call) =>
      call.inTenant(async (tx) => {
        const ${camel} = call.body;
        if (!(await insert${pascal}(tx, ${camel}))) {
          return reply(200, demandSame(${camel}, await ${camel}WithId(tx, ${camel}.${camel}Id)));
        }
        // Same transaction: a ${words} without its event would be missing from the audit.
        await outbox.add(tx, ${camel}Created, ${camel}.${camel}Id, ${camel});
        return reply(201, ${camel});
      }),
    ),

    handle(list${pascals}, async (call) => {
      const { limit, after } = call.query;
      const [afterId] = readCursor(after, z.uuid()) ?? [];
      const found = await call.readInTenant((tx) => ${camels}After(tx, afterId, limit + 1));
      const items = found.slice(0, limit);
      return reply(200, { items, next: found.length > limit ? cursorOf(items.at(-1)?.${camel}Id ?? '') : null });
    }),

    handle(get${pascal}, async (call) => {
      const ${camel} = await call.readInTenant((tx) => ${camel}WithId(tx, call.params.${camel}Id));
      if (${camel} === undefined) throw new Absent({ resource: '${words}' });
      return reply(200, ${camel});
    }),
  ];
}
`;

const rules = ({
  service,
  camel,
  pascal,
  words,
}: Names) => `import { type ${pascal}, ${pascal}Conflict } from '@marimo/contracts/${service}';

/**
 * Decides about a ${words} whose id is taken: just so it is a repetition, with other content it is another one.
 *
 * Errors: ${pascal}Conflict.
 */
export function demandSame(wanted: ${pascal}, present: ${pascal} | undefined): ${pascal} {
  if (present?.name !== wanted.name) throw new ${pascal}Conflict({ ${camel}Id: wanted.${camel}Id });
  return present;
}
`;

const store = ({
  service,
  camel,
  camels,
  pascal,
  snake,
}: Names) => `import type { ${pascal} } from '@marimo/contracts/${service}';
import type { Transaction } from '@marimo/postgres';

const columns = '${snake}_id as "${camel}Id", name';

/** False when the id is taken. */
export async function insert${pascal}(tx: Transaction, { ${camel}Id, name }: ${pascal}): Promise<boolean> {
  const sql = \`
    insert into ${snake} (tenant_id, ${snake}_id, name) values ($1, $2, $3)
    on conflict (tenant_id, ${snake}_id) do nothing\`;
  return (await tx.run(sql, [tx.tenantId, ${camel}Id, name])) === 1;
}

export function ${camel}WithId(tx: Transaction, ${camel}Id: string): Promise<${pascal} | undefined> {
  const sql = \`select \${columns} from ${snake} where tenant_id = $1 and ${snake}_id = $2\`;
  return tx.first<${pascal}>(sql, [tx.tenantId, ${camel}Id]);
}

export function ${camels}After(tx: Transaction, afterId: string | undefined, limit: number): Promise<${pascal}[]> {
  const sql = \`
    select \${columns} from ${snake}
    where tenant_id = $1 and ($2::uuid is null or ${snake}_id > $2)
    order by ${snake}_id
    limit $3\`;
  return tx.rows<${pascal}>(sql, [tx.tenantId, afterId, limit]);
}
`;

const test = ({
  service,
  camel,
  camels,
  pascal,
  pascals,
  snake,
  words,
  plural,
}: Names) => `import { Absent, newId } from '@marimo/contracts';
import { ${camel}Created, create${pascal}, get${pascal}, list${pascals}, ${pascal}Conflict } from '@marimo/contracts/${service}';
import { type ServiceUnderTest, serviceUnderTest, tokenFor } from '@marimo/testing';
import { ${service} } from '../../service.ts';

let ${camels}: ServiceUnderTest;
beforeAll(async () => {
  ${camels} = await serviceUnderTest(${service});
});
afterAll(() => ${camels}?.stop());

const ${camel} = (name = 'Pine') => ({ ${camel}Id: newId(), name });
const eventsOf = async ({ ${camel}Id }: { ${camel}Id: string }) =>
  (await ${camels}.events()).filter(({ type, subject }) => type === ${camel}Created.type && subject === ${camel}Id);

describe('adding a ${words}', () => {
  it('stores it, with one event', async () => {
    const body = ${camel}();
    expect((await ${camels}.call(create${pascal}, { body })).status).toBe(201);
    expect((await ${camels}.call(get${pascal}, { params: { ${camel}Id: body.${camel}Id } })).body).toEqual(body);
    expect((await eventsOf(body)).map(({ data }) => data)).toEqual([body]);
  });

  it('refuses one without a name and stores nothing', async () => {
    const before = await ${camels}.rows('${snake}');
    const answer = await ${camels}.call(create${pascal}, { body: ${camel}(' ') });
    expect(answer.status).toBe(400);
    expect(await ${camels}.rows('${snake}')).toEqual(before);
  });

  it('can be repeated', async () => {
    const body = ${camel}();
    await ${camels}.call(create${pascal}, { body });
    const again = await ${camels}.call(create${pascal}, { body });
    expect([again.status, again.json]).toEqual([200, body]);
    expect(await eventsOf(body)).toHaveLength(1);
  });

  it('refuses the id of another ${words}', async () => {
    const body = ${camel}();
    await ${camels}.call(create${pascal}, { body });
    const answer = await ${camels}.call(create${pascal}, { body: { ...body, name: 'Oak' } });
    expect(answer).toBeRefused(${pascal}Conflict, { ${camel}Id: body.${camel}Id });
    expect((await ${camels}.call(get${pascal}, { params: { ${camel}Id: body.${camel}Id } })).body).toEqual(body);
  });
});

describe('the ${plural} of an organisation', () => {
  it('are listed page by page, each once', async () => {
    const as = tokenFor({ tenantId: newId() });
    const added = [${camel}('A'), ${camel}('B'), ${camel}('C')].sort((a, b) => (a.${camel}Id < b.${camel}Id ? -1 : 1));
    for (const body of added) await ${camels}.call(create${pascal}, { body }, { as });
    const first = await ${camels}.call(list${pascals}, { query: { limit: 2 } }, { as });
    const rest = await ${camels}.call(list${pascals}, { query: { limit: 2, after: first.body.next ?? '' } }, { as });
    expect([...first.body.items, ...rest.body.items]).toEqual(added);
    expect(rest.body.next).toBeNull();
  });

  it('are not there for another organisation', async () => {
    const body = ${camel}();
    await ${camels}.call(create${pascal}, { body });
    const as = tokenFor({ tenantId: newId() });
    const answer = await ${camels}.call(get${pascal}, { params: { ${camel}Id: body.${camel}Id } }, { as });
    expect(answer).toBeRefused(Absent);
  });
});
`;
