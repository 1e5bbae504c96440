-- Another service's table, for what must not be done with it.
create table place (
  tenant_id uuid not null primary key
);
select marimo.protect_tenant_table('place');
