import { useDatabase } from '@marimo/testing/database';
import { asAdministrator } from '../administrator.ts';
import { checkCatalogue, globalTables, violationsSeenBy } from './check.ts';
import { catalogueRules, definerRule } from './rules.ts';

const notes = new URL('../../test/notes', import.meta.url);
const elsewhere = new URL('../../test/elsewhere', import.meta.url);
const test = useDatabase({
  schema: 'looked_at',
  folders: [notes],
  beside: [{ schema: 'elsewhere', folders: [elsewhere] }],
});

const isolation = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";
const good = (table: string) => `
  create table ${table} (tenant_id uuid not null, id int not null, primary key (tenant_id, id));
  select marimo.protect_tenant_table('${table}');`;

/** What somebody might do, the rule that finds it, and where. */
interface Plant {
  readonly sql: string;
  readonly rule: string;
  readonly object: string;
}

const has = (start: string) => {
  const rule = [...catalogueRules, definerRule].find(({ says }) => says.startsWith(start));
  if (!rule) throw new Error(`no rule starts with ${start}`);
  return rule.says;
};

const plants: Record<string, Plant> = {
  'a table without tenant_id': {
    sql: 'create table planted (id int primary key)',
    rule: has('a table has tenant_id'),
    object: 'planted',
  },
  'a tenant_id that may be null': {
    sql: 'create table planted (tenant_id uuid, id int)',
    rule: has('a table has tenant_id'),
    object: 'planted',
  },
  'a tenant_id of another type': {
    sql: 'create table planted (tenant_id text not null, id int)',
    rule: has('a table has tenant_id'),
    object: 'planted',
  },
  'a global table that does not say why': {
    sql: "create table planted (id int primary key); comment on table planted is 'global:'",
    rule: has('a table has tenant_id'),
    object: 'planted',
  },
  'no primary key': {
    sql: 'create table planted (tenant_id uuid not null)',
    rule: has('a primary key'),
    object: 'planted',
  },
  'a primary key with tenant_id behind': {
    sql: 'create table planted (tenant_id uuid not null, id int, primary key (id, tenant_id))',
    rule: has('a primary key'),
    object: 'planted',
  },
  'a number that is unique among all tenants': {
    sql: `${good('planted')} alter table planted add unique (id)`,
    rule: has('a unique key'),
    object: 'planted',
  },
  'a unique expression without tenant_id': {
    sql: `${good('planted')} create unique index on planted ((id + 1))`,
    rule: has('a unique key'),
    object: 'planted',
  },
  'tenant_id only carried along in a unique index': {
    sql: `${good('planted')} create unique index on planted (id) include (tenant_id)`,
    rule: has('a unique key'),
    object: 'planted',
  },
  'an exclusion that spans tenants': {
    sql: `${good('planted')} alter table planted add during int4range, add exclude using gist (during with &&)`,
    rule: has('a unique key'),
    object: 'planted',
  },
  'a foreign key to a row of any tenant': {
    sql: `alter table note add unique (tenant_id, minor), add constraint n unique (note_id);
          ${good('planted')} alter table planted add foreign key (id) references note (note_id)`,
    rule: has('a foreign key carries'),
    object: 'planted',
  },
  'a foreign key that pairs tenant_id with something else': {
    sql: `alter table note add other uuid unique, add constraint n unique (other, note_id);
          ${good('planted')} alter table planted add foreign key (tenant_id, id) references note (other, note_id)`,
    rule: has('a foreign key carries'),
    object: 'planted',
  },
  'a foreign key to another service': {
    sql: `reset role; ${good('planted')} alter table planted add foreign key (tenant_id) references elsewhere.place`,
    rule: has('a foreign key stays'),
    object: 'planted',
  },
  'row-level security forgotten': {
    sql: 'create table planted (tenant_id uuid not null primary key)',
    rule: has('row-level security'),
    object: 'planted',
  },
  'row-level security that its owner escapes': {
    sql: `${good('planted')} alter table planted no force row level security`,
    rule: has('row-level security'),
    object: 'planted',
  },
  'a partition without protection of its own': {
    sql: `create table whole (tenant_id uuid not null, id int not null, primary key (tenant_id, id)) partition by hash (tenant_id);
          select marimo.protect_tenant_table('whole');
          create table planted partition of whole for values with (modulus 1, remainder 0)`,
    rule: has('row-level security'),
    object: 'planted',
  },
  'no policy': {
    sql: `${good('planted')} drop policy tenant_isolation on planted`,
    rule: has('a policy for everyone'),
    object: 'planted',
  },
  'a policy without WITH CHECK': {
    sql: `${good('planted')} drop policy tenant_isolation on planted;
          create policy tenant_isolation on planted using (${isolation})`,
    rule: has('a policy for everyone'),
    object: 'planted',
  },
  'a policy that fails where no tenant is set, instead of showing nothing': {
    sql: `${good('planted')} drop policy tenant_isolation on planted;
          create policy tenant_isolation on planted using (tenant_id = current_setting('app.tenant_id')::uuid)
            with check (tenant_id = current_setting('app.tenant_id')::uuid)`,
    rule: has('a policy for everyone'),
    object: 'planted',
  },
  'a policy for reading only': {
    sql: `${good('planted')} drop policy tenant_isolation on planted;
          create policy tenant_isolation on planted for select using (${isolation})`,
    rule: has('a policy for everyone'),
    object: 'planted',
  },
  'a second policy that lets all rows through': {
    sql: `${good('planted')} create policy planted on planted using (true)`,
    rule: has('no other policy'),
    object: 'planted',
  },
  'the relay let in where it has no work': {
    sql: `${good('planted')} create policy planted on planted to looked_at_relay using (true)`,
    rule: has('no other policy'),
    object: 'planted',
  },
  'everyone let in where only the relay works': {
    sql: `${good('outbox')} create policy planted on outbox using (true)`,
    rule: has('no other policy'),
    object: 'outbox',
  },
  'a view with the rights of its owner': {
    sql: 'create view planted as select * from note',
    rule: has('a view runs'),
    object: 'planted',
  },
  'a materialised view that the app may read': {
    sql: 'create materialized view planted as select * from note',
    rule: has('a materialised view'),
    object: 'planted',
  },
  'an app that can bypass row-level security': {
    sql: 'reset role; alter role looked_at_app bypassrls',
    rule: has('a role of a schema is not mighty'),
    object: 'looked_at_app',
  },
  'an app that may become its owner': {
    sql: 'reset role; grant looked_at_owner to looked_at_app',
    rule: has('a role of a schema is not mighty'),
    object: 'looked_at_app',
  },
  'an owner that logs in': {
    sql: 'reset role; alter role looked_at_owner login',
    rule: has('a schema has its three roles'),
    object: 'looked_at_owner',
  },
  'a table of the administrator': {
    sql: `reset role; ${good('looked_at.planted')}`,
    rule: has('everything in a schema'),
    object: 'planted',
  },
  'a function of the administrator': {
    sql: 'reset role; create function looked_at.planted() returns int language sql as $$ select 1 $$',
    rule: has('everything in a schema'),
    object: 'planted',
  },
  'a table that everyone may read': {
    sql: `${good('planted')} grant select on planted to public`,
    rule: has('nothing in a schema'),
    object: 'planted',
  },
  'a column that another service may read': {
    sql: `${good('planted')} grant select (id) on planted to elsewhere_app`,
    rule: has('nothing in a schema'),
    object: 'planted',
  },
  'a schema that another service may enter': {
    sql: 'grant usage on schema looked_at to elsewhere_app',
    rule: has('nothing in a schema'),
    object: '(the schema)',
  },
  'an app that may truncate': {
    sql: `${good('planted')} grant truncate on planted to looked_at_app`,
    rule: has('app and relay may not'),
    object: 'planted',
  },
  'an app that may refer to a table': {
    sql: `${good('planted')} grant references on planted to looked_at_app`,
    rule: has('app and relay may not'),
    object: 'planted',
  },
  'an app that may create tables': {
    sql: 'grant create on schema looked_at to looked_at_app',
    rule: has('app and relay may not'),
    object: '(the schema)',
  },
  'a relay that may read what it has no work on': {
    sql: `${good('planted')} grant select (id) on planted to looked_at_relay`,
    rule: has('the relay reaches'),
    object: 'planted',
  },
  'a table in nobody’s schema': {
    sql: 'reset role; create table public.planted (id int)',
    rule: has('there are no tables outside'),
    object: 'planted',
  },
  'a function with the rights of its owner': {
    sql: 'create function planted() returns int security definer language sql as $$ select 1 $$',
    rule: has('a function with the rights'),
    object: 'planted',
  },
};

describe('the catalogue', () => {
  it('has nothing against tables made by the rules', async () => {
    expect(await checkCatalogue(test.server)).toEqual([]);
  });

  it.each(Object.entries(plants))('shows %s', async (_, { sql, rule, object }) => {
    const found = await asAdministrator(test.server, async (client) => {
      await client.query('begin; set local role looked_at_owner; set local search_path = looked_at');
      await client.query(sql);
      await client.query('reset role');
      return violationsSeenBy(client);
    });
    expect(found).toContainEqual(expect.objectContaining({ rule, schema: expect.any(String), object }));
  });

  it('has a planted table for every rule', () => {
    const planted = new Set(Object.values(plants).map(({ rule }) => rule));
    const rules = [...catalogueRules, definerRule].map(({ says }) => says);
    expect(rules.filter((rule) => !planted.has(rule))).toEqual([]);
  });

  it('accepts a function with the rights of its owner when it is named and keeps its own search path', async () => {
    const seen = (options: string) =>
      asAdministrator(test.server, async (client) => {
        await client.query('begin; set local role looked_at_owner; set local search_path = looked_at');
        await client.query(
          `create function meant() returns int security definer ${options} language sql as 'select 1'`,
        );
        await client.query('reset role');
        return violationsSeenBy(client, { definers: ['looked_at.meant'] });
      });
    expect(await seen('set search_path = looked_at, pg_temp')).toEqual([]);
    expect(await seen('')).toMatchObject([{ rule: definerRule.says, object: 'meant' }]);
  });

  it('accepts the search of a table, and none that looks beyond its tenant', async () => {
    const seen = (change: string) =>
      asAdministrator(test.server, async (client) => {
        await client.query('begin; set local role looked_at_owner; set local search_path = looked_at');
        const searchable = "select marimo.make_searchable('planted', 'id', '{name}')";
        await client.query(`
          create table planted (tenant_id uuid not null, id uuid not null, name text, primary key (tenant_id, id));
          select marimo.protect_tenant_table('planted'); ${searchable}`);
        await client.query(change);
        await client.query('reset role');
        return violationsSeenBy(client);
      });
    expect(await seen('')).toEqual([]);
    const beyond = `create or replace function planted_found(question text, most int) returns setof uuid
      language sql security definer set search_path = looked_at, pg_temp as 'select id from planted where id is not null'`;
    expect(await seen(beyond)).toMatchObject([{ rule: definerRule.says, object: 'planted_found' }]);
    const toAll = 'create policy wide on planted for select to looked_at_app using (true)';
    expect(await seen(toAll)).toMatchObject([{ object: 'planted', detail: 'wide' }]);
  });

  it('lets the relay in where it works', async () => {
    const found = await asAdministrator(test.server, async (client) => {
      await client.query('begin; set local role looked_at_owner; set local search_path = looked_at');
      await client.query(`${good('outbox')} select marimo.admit_relay('outbox', 'select, delete')`);
      await client.query('reset role');
      return violationsSeenBy(client);
    });
    expect(found).toEqual([]);
  });

  it('lists the tables that belong to no tenant, with their reason', async () => {
    expect(await globalTables(test.server)).toEqual([
      { schema: 'looked_at', table: 'tenant_seen', reason: 'tells which tenants there are' },
    ]);
  });
});
