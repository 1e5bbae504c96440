-- Something to write, for the tests of the kit.
create table note (
  tenant_id uuid not null,
  id        uuid not null default gen_random_uuid(),
  text      text not null,
  primary key (tenant_id, id)
);
select marimo.protect_tenant_table('note');
