-- Fields that an organisation adds to a record. Their values stand in the record's own `custom` column.
create table custom_field (
  tenant_id       uuid not null,
  custom_field_id uuid not null,
  record_name     text not null,
  name            text not null check (name ~ '^[a-z][a-zA-Z0-9]{0,39}$'), -- it is written into statements
  kind            text not null,
  label_en        text not null,
  label_ru        text not null,
  options         text[] not null,
  is_required     boolean not null,
  position        bigint not null,
  archived        boolean not null,
  version         int not null,
  created_at      timestamptz not null,
  created_by      uuid not null,
  changed_at      timestamptz not null,
  changed_by      uuid not null,
  primary key (tenant_id, custom_field_id),
  unique (tenant_id, record_name, name)
);
select marimo.protect_tenant_table('custom_field');
