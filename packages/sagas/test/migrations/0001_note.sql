-- What a local step writes. Nothing here prevents doubles.
create table note (
  tenant_id uuid not null,
  id        uuid not null default gen_random_uuid(),
  saga_id   uuid not null,
  primary key (tenant_id, id)
);
select marimo.protect_tenant_table('note');
