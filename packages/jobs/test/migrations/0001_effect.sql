-- What jobs have done, for the tests of jobs.
create table effect (
  tenant_id uuid not null,
  effect_id uuid not null default gen_random_uuid(),
  job_id    uuid not null,
  step      int not null,
  primary key (tenant_id, effect_id)
);
select marimo.protect_tenant_table('effect');
