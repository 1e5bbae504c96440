import type { Names } from './names.ts';

/** A record with its table, routes and tests; by path from the project's root. */
export function recordFiles(
  names: Names,
  migrationNumber: string,
  russian: { readonly one: string; readonly many: string },
): Record<string, string> {
  const { service, kebabs, snake } = names;
  const slice = `services/${service}/src/${kebabs}`;
  const contract = `packages/contracts/src/${service}/${kebabs}`;
  return {
    [`${contract}.ts`]: declaration(names),
    [`${contract}.labels.json`]: `${JSON.stringify(labelsOf(names, russian), null, 2)}\n`,
    [`${slice}/routes.ts`]: routes(names),
    [`${slice}/${kebabs}.test.ts`]: test(names),
    [`services/${service}/migrations/${migrationNumber}_${snake}.sql`]: migration(names),
  };
}

const declaration = ({
  service,
  camel,
  kebabs,
}: Names) => `import { declareRecord, endpointsOf, eventsOf, text } from '../records/index.ts';
import labels from './${kebabs}.labels.json' with { type: 'json' };

export const record = declareRecord({
  service: '${service}',
  name: '${camel}',
  plural: '${kebabs}',
  labels,
  key: ['code'],
  fields: {
    code: text(40, { required: true }),
    name: text(200, { required: true }),
  },
  searched: ['code', 'name'],
  filtered: ['code', 'name'],
  sorts: ['code'],
});

export const { list, get, create, change, archive, restore, bulk, history } = endpointsOf(record);
export const { created, changed } = eventsOf(record);
`;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const labelsOf = ({ words, plural }: Names, russian: { readonly one: string; readonly many: string }) => ({
  one: { en: capital(words), ru: capital(russian.one) },
  many: { en: capital(plural), ru: capital(russian.many) },
  fields: { code: { en: 'Code', ru: 'Код' }, name: { en: 'Name', ru: 'Наименование' } },
});

const routes = ({
  service,
  camel,
  camels,
}: Names) => `import { ${camels} } from '@marimo/contracts/${service}';
import { recordsOf } from '@marimo/records';
import { type Deps, type Route, recordRoutes } from '@marimo/service-kit';

export function ${camel}Routes(deps: Deps): Route[] {
  return recordRoutes(${camels}, recordsOf(${camels}.record, deps), deps);
}
`;

const migration = ({ snake, plural }: Names) => `-- The ${plural} of each organisation.
create table ${snake} (
  tenant_id  uuid not null,
  ${snake}_id uuid not null,
  code       text not null,
  name       text not null,
  archived   boolean not null,
  version    int not null,
  created_at timestamptz not null,
  created_by uuid not null,
  changed_at timestamptz not null,
  changed_by uuid not null,
  primary key (tenant_id, ${snake}_id),
  unique (tenant_id, code)
);
select marimo.protect_tenant_table('${snake}');
select marimo.make_searchable('${snake}', '${snake}_id', '{code, name}');
`;

const test = ({
  service,
  camel,
  camels,
  snake,
  words,
  plural,
}: Names) => `import { Absent, KeyTaken, MalformedRequest, newId } from '@marimo/contracts';
import { ${camels} } from '@marimo/contracts/${service}';
import { tokenFor, useService } from '@marimo/testing';
import { ${service} } from '../../service.ts';

const service = useService(${service});
const ${camel} = (code: string, name = 'Pine') => ({ ${camel}Id: newId(), code, name });

describe('adding a ${words}', () => {
  it('stores it, with one event', async () => {
    const body = ${camel}('A-1');
    const answer = await service.call(${camels}.create, { body });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ ...body, archived: false, version: 1 });
    const events = await service.eventsOf(${camels}.created, { subject: body.${camel}Id });
    expect(events).toMatchObject([{ data: body }]);
  });

  it('refuses one without a name and stores nothing', async () => {
    await service.refusedStoringNothing(${camels}.create, { body: ${camel}('A-2', ' ') }, MalformedRequest);
  });

  it('can be repeated', async () => {
    await service.canBeRepeated(${camels}.create, { body: ${camel}('A-3') });
  });

  it('refuses the code of another ${words}', async () => {
    await service.call(${camels}.create, { body: ${camel}('A-4') });
    await service.refusedStoringNothing(${camels}.create, { body: ${camel}('A-4', 'Oak') }, KeyTaken);
  });
});

describe('the ${plural} of an organisation', () => {
  it('are absent for another organisation', async () => {
    const body = ${camel}('A-5');
    await service.call(${camels}.create, { body });
    const as = tokenFor({ tenantId: newId() });
    const answer = await service.call(${camels}.get, { params: { ${camel}Id: body.${camel}Id } }, { as });
    expect(answer).toBeRefused(Absent);
    expect(await service.rows('${snake}')).not.toEqual([]);
  });
});
`;
