-- What a consumer of the events heard. Nothing here prevents doubles.
create table told (
  tenant_id uuid not null,
  id        uuid not null default gen_random_uuid(),
  saga_id   uuid not null,
  type      text not null,
  primary key (tenant_id, id)
);
select marimo.protect_tenant_table('told');
