/** One demand on the catalogue. The query finds what breaks it: schema, object and, where it helps, a detail. */
export interface CatalogueRule {
  readonly says: string;
  readonly sql: string;
}

/** The tables on which the relay works for all tenants: what it publishes, what waits to be done, and what grows old. */
const relayTables = `('outbox', 'inbox', 'idempotency_key', 'job', 'job_schedule', 'saga', 'file', 'file_usage',
  'mirror_standing', 'organisation_facts')`;

/** How a search keeps to its tenant, in each of its statements. */
const ownTenantOnly = `'^(?!.*where(?! tenant_id = tenant and)).*where tenant_id = tenant and'`;

/** As the server writes back what `marimo.protect_tenant_table` gave it. */
const isolation = `$$(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)$$`;

/** What the rules are about. Partitions count as tables: one that is read directly has only its own policies. */
const subjects = `
  with service as (
    select n.oid, n.nspname as name, n.nspowner, n.nspacl,
           to_regrole(quote_ident(n.nspname || '_owner'))::oid as owner,
           to_regrole(quote_ident(n.nspname || '_app'))::oid as app,
           to_regrole(quote_ident(n.nspname || '_relay'))::oid as relay
    from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'marimo', 'public')
  ), relation as (
    select c.oid, s.name as schema, s.owner, s.app, s.relay, c.relname as name, c.relkind as kind, c.relowner,
           c.relacl, c.reloptions, c.relrowsecurity, c.relforcerowsecurity,
           coalesce(obj_description(c.oid, 'pg_class'), '') ~ '^global: \\S' as is_global
    from pg_class c
    join service s on s.oid = c.relnamespace
    where not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  ), tenant_table as (
    select r.*, a.attnum as tenant_column
    from relation r
    left join pg_attribute a on a.attrelid = r.oid and a.attname = 'tenant_id'
    where r.kind in ('r', 'p') and not r.is_global
  ), policy as (
    select t.schema, t.name, t.owner, t.relay, p.*,
           p.polpermissive and p.polcmd = '*' and p.polroles = '{0}'
             and pg_get_expr(p.polqual, p.polrelid) = ${isolation}
             and pg_get_expr(p.polwithcheck, p.polrelid) = ${isolation} as isolates
    from pg_policy p
    join tenant_table t on t.oid = p.polrelid
  ), granted as (
    select r.schema, r.name, r.owner, r.app, r.relay, g.grantee, g.privilege_type
    from relation r
    cross join lateral (
      select r.relacl as acl
      union all
      select a.attacl from pg_attribute a where a.attrelid = r.oid and a.attacl is not null
    ) as acls
    cross join lateral aclexplode(acls.acl) as g
    union all
    select s.name, '(the schema)', s.owner, s.app, s.relay, g.grantee, g.privilege_type
    from service s
    cross join lateral aclexplode(s.nspacl) as g
  )`;

const tenantKeys: readonly CatalogueRule[] = [
  {
    says: 'a table has tenant_id uuid not null, or a comment that starts with "global: " and says why not',
    sql: `${subjects}
      select t.schema, t.name as object from tenant_table t
      left join pg_attribute a on a.attrelid = t.oid and a.attnum = t.tenant_column
      where (a.atttypid = 'uuid'::regtype and a.attnotnull) is not true`,
  },
  {
    says: 'a primary key starts with tenant_id',
    sql: `${subjects}
      select t.schema, t.name as object from tenant_table t
      where not exists (
        select from pg_index i where i.indrelid = t.oid and i.indisprimary and i.indkey[0] = t.tenant_column)`,
  },
  {
    says: 'a unique key or exclusion contains tenant_id, or it would tell one tenant what another has',
    sql: `${subjects}
      select t.schema, t.name as object, i.indexrelid::regclass::text as detail
      from tenant_table t
      join pg_index i on i.indrelid = t.oid and (i.indisunique or i.indisexclusion)
      where (t.tenant_column = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])) is not true`,
  },
  {
    says: 'a foreign key carries tenant_id along, because its check ignores row-level security',
    sql: `${subjects}
      select r.schema, r.name as object, f.conname as detail
      from pg_constraint f
      join relation r on r.oid = f.conrelid
      join tenant_table t on t.oid = f.confrelid
      where f.contype = 'f' and not exists (
        select from unnest(f.conkey, f.confkey) as pair (here, there)
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = pair.here and a.attname = 'tenant_id'
        where pair.there = t.tenant_column)`,
  },
  {
    says: 'a foreign key stays in its schema',
    sql: `${subjects}
      select r.schema, r.name as object, f.conname as detail
      from pg_constraint f
      join relation r on r.oid = f.conrelid
      join pg_class other on other.oid = f.confrelid
      where f.contype = 'f' and other.relnamespace::regnamespace::text <> quote_ident(r.schema)`,
  },
];

const policies: readonly CatalogueRule[] = [
  {
    says: 'row-level security is enabled and forced',
    sql: `${subjects}
      select t.schema, t.name as object from tenant_table t
      where not (t.relrowsecurity and t.relforcerowsecurity)`,
  },
  {
    says: 'a policy for everyone and every command compares tenant_id in USING and in WITH CHECK',
    sql: `${subjects}
      select t.schema, t.name as object from tenant_table t
      where not exists (select from policy p where p.polrelid = t.oid and p.isolates)`,
  },
  {
    says: 'no other policy lets rows through, but the relay’s on the tables it works on, and the owner’s for searching',
    sql: `${subjects}
      select p.schema, p.name as object, p.polname as detail from policy p
      where p.polpermissive and not p.isolates
        and (p.name in ${relayTables} and p.polroles = array[p.relay]) is not true
        and (p.polname = 'search' and p.polcmd = 'r' and p.polroles = array[p.owner]) is not true`,
  },
  {
    says: 'a view runs with the rights of who asks',
    sql: `${subjects}
      select r.schema, r.name as object from relation r
      where r.kind = 'v' and (r.reloptions && '{security_invoker=true,security_invoker=on}') is not true`,
  },
  {
    says: 'a materialised view or foreign table, which policies cannot protect, is granted to nobody',
    sql: `${subjects}
      select distinct r.schema, r.name as object from relation r
      cross join lateral aclexplode(r.relacl) as g
      where r.kind in ('m', 'f') and g.grantee <> r.relowner`,
  },
];

const rights: readonly CatalogueRule[] = [
  {
    says: 'a schema has its three roles, and of them only app and relay log in',
    sql: `${subjects}
      select s.name as schema, s.name || '_' || suffix as object from service s
      cross join (values ('owner', false), ('app', true), ('relay', true)) as wanted (suffix, logs_in)
      left join pg_roles r on r.rolname = s.name || '_' || suffix
      where r.rolcanlogin is distinct from logs_in`,
  },
  {
    says: 'a role of a schema is not mighty, and no member of another',
    sql: `${subjects}
      select s.name as schema, r.rolname as object from service s
      join pg_roles r on r.oid in (s.owner, s.app, s.relay)
      where r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
        or exists (select from pg_auth_members m where m.member = r.oid)`,
  },
  {
    says: 'everything in a schema belongs to its owner role',
    sql: `${subjects}
      select r.schema, r.name as object, pg_get_userbyid(r.relowner) as detail from relation r
      where r.relowner is distinct from r.owner
      union all
      select s.name, '(the schema)', pg_get_userbyid(s.nspowner) from service s
      where s.nspowner is distinct from s.owner
      union all
      select s.name, p.proname, pg_get_userbyid(p.proowner) from service s
      join pg_proc p on p.pronamespace = s.oid
      where p.proowner is distinct from s.owner`,
  },
  {
    says: 'nothing in a schema is granted to a stranger',
    sql: `${subjects}
      select distinct g.schema, g.name as object,
             case g.grantee when 0 then 'public' else pg_get_userbyid(g.grantee) end as detail
      from granted g
      where (g.grantee in (g.owner, g.app, g.relay)) is not true`,
  },
  {
    says: 'app and relay may not truncate, refer to, trigger on or create anything',
    sql: `${subjects}
      select g.schema, g.name as object, pg_get_userbyid(g.grantee) || ': ' || lower(g.privilege_type) as detail
      from granted g
      where g.grantee in (g.app, g.relay)
        and g.privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')`,
  },
  {
    says: 'the relay reaches no other tables than those it works on',
    sql: `${subjects}
      select distinct g.schema, g.name as object from granted g
      join relation r on r.schema = g.schema and r.name = g.name
      where g.grantee = g.relay and not r.is_global and g.name not in ${relayTables}`,
  },
  {
    says: 'there are no tables outside the schemas of the services',
    sql: `
      select 'public' as schema, c.relname as object from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and not exists (
          select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`,
  },
];

/**
 * A function that runs with its owner's rights; the ones that are meant are named by who asks, or are the searches that
 * `marimo.make_searchable` made.
 */
const definers: CatalogueRule = {
  says: 'a function with the rights of its owner is on the list, and its search path is fixed',
  sql: `${subjects}
    select s.name as schema, p.proname as object from service s
    join pg_proc p on p.pronamespace = s.oid
    where p.prosecdef
      and not ((s.name || '.' || p.proname = any ($1::text[]) or p.proname like '%\\_found' and p.prosrc ~ ${ownTenantOnly})
        and exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%'))`,
};

export const catalogueRules: readonly CatalogueRule[] = [...tenantKeys, ...policies, ...rights];
export const definerRule = definers;

export const globalTablesSql = `${subjects}
  select r.schema, r.name as object, substr(obj_description(r.oid, 'pg_class'), 9) as detail
  from relation r where r.is_global and r.kind in ('r', 'p') order by 1, 2`;
