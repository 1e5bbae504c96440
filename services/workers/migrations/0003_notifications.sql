-- What a person is told inside the portal: a key and its parameters, so that each reads it in their own language.
create table notification (
  tenant_id       uuid not null,
  person_id       uuid not null,
  notification_id uuid not null, -- the event's
  key             text not null,
  params          jsonb not null,
  created_at      timestamptz not null,
  read_at         timestamptz,
  primary key (tenant_id, person_id, notification_id)
);
create index notification_by_age on notification (tenant_id, person_id, created_at, notification_id);
create index notification_unread on notification (tenant_id, person_id) where read_at is null;
select marimo.protect_tenant_table('notification');
