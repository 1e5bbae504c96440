-- A service in small: what it acknowledged, and what its consumers did about it. Nothing here prevents doubles.
create table fact (
  tenant_id uuid not null,
  id        uuid not null,
  primary key (tenant_id, id)
);
create table effect (
  tenant_id uuid not null,
  id        uuid not null default gen_random_uuid(),
  consumer  text not null,
  fact_id   uuid not null,
  primary key (tenant_id, id)
);
select marimo.protect_tenant_table('fact'), marimo.protect_tenant_table('effect');
