-- A table, so that the service has a database.
create table bell (
  tenant_id uuid not null,
  id        uuid not null,
  primary key (tenant_id, id)
);
select marimo.protect_tenant_table('bell');
