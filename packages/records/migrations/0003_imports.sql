-- How far an import by a job has come, written with each piece: whatever is killed, no row is taken twice.
create table record_import (
  tenant_id  uuid not null,
  job_id     uuid not null,
  report     jsonb not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, job_id)
);
select marimo.protect_tenant_table('record_import');

-- Which header of a file stands for which column, as an organisation has saved it for a record.
create table record_import_mapping (
  tenant_id uuid not null,
  record    text not null,
  name      text not null,
  columns   jsonb not null,
  primary key (tenant_id, record, name)
);
select marimo.protect_tenant_table('record_import_mapping');
