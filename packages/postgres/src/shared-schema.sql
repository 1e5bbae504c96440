-- What every service schema needs and none owns. Applied at each start: it must stay safe to repeat.
create schema if not exists marimo;
grant usage on schema marimo to public;

create table if not exists marimo.schema_migration (
  schema_name text not null,
  folder      text not null,
  number      int not null,
  file        text not null,
  checksum    text not null,
  applied_at  timestamptz not null default now(),
  primary key (schema_name, folder, number)
);
comment on table marimo.schema_migration is 'global: belongs to the installation, not to a tenant';

-- Makes a table show each transaction the rows of its tenant only. FORCE binds the table's owner too.
create or replace function marimo.protect_tenant_table(name text) returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security, force row level security', name::regclass);
  execute format(
    'create policy tenant_isolation on %s
       using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)
       with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
    name::regclass);
end $$;

-- Lets the relay of this schema work on a messaging table for all tenants at once.
create or replace function marimo.admit_relay(name text, privileges text) returns void
language plpgsql as $$
declare
  relay text := current_schema() || '_relay';
begin
  execute format('grant %s on %s to %I', privileges, name::regclass, relay);
  execute format('create policy relay on %s to %I using (true) with check (true)', name::regclass, relay);
end $$;
