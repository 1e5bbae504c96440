-- One record for each event of every service, in one hash chain per tenant: each record's hash covers its own content
-- and the hash before it, so that no record can be changed, moved, taken out or put in without all later ones showing it.
create table audit_record (
  tenant_id     uuid not null,
  sequence      bigint not null check (sequence > 0),
  event_id      uuid not null,
  type          text not null,
  source        text not null,
  subject       text not null,
  actor_id      uuid,
  request_id    text,
  occurred_at   timestamptz not null,
  data          text not null, -- canonical JSON: the hash covers these very characters
  previous_hash bytea not null,
  hash          bytea not null,
  primary key (tenant_id, sequence),
  unique (tenant_id, event_id)
);
create index audit_record_by_type on audit_record (tenant_id, type, sequence);
create index audit_record_by_subject on audit_record (tenant_id, subject, sequence);
create index audit_record_by_actor on audit_record (tenant_id, actor_id, sequence);
create index audit_record_by_time on audit_record (tenant_id, occurred_at);
select marimo.protect_tenant_table('audit_record');

-- The end of each chain, kept apart so that a cut tail shows. Its row is what orders the writers of a tenant.
create table audit_head (
  tenant_id     uuid primary key,
  sequence      bigint not null,
  previous_hash bytea not null,
  hash          bytea not null
);
select marimo.protect_tenant_table('audit_head');

do $$ begin
  execute format('revoke update, delete on audit_record from %I', current_schema() || '_app');
  execute format('revoke delete on audit_head from %I', current_schema() || '_app');
end $$;

-- Rights can be granted by mistake; these hold against the owner too, until somebody takes them away on purpose.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is only added to' using errcode = 'restrict_violation';
end $$;

create trigger records_stay before update or delete or truncate on audit_record
  for each statement execute function refuse_change();
create trigger head_stays before delete or truncate on audit_head
  for each statement execute function refuse_change();
create trigger head_only_moves_on before update on audit_head
  for each row when (new.sequence <> old.sequence + 1 or new.previous_hash <> old.hash)
  execute function refuse_change();
