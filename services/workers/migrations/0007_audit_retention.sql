-- An organisation says how long its audit is kept. Records go from the beginning of the chain, and what the first kept one
-- is chained to stays, so the rest is verified as before. Nothing but this function can take a record away, and it
-- takes none that is younger than the organisation said.
create table audit_retention (
  tenant_id   uuid primary key,
  kept_months int not null check (kept_months between 12 and 1200)
);
select marimo.protect_tenant_table('audit_retention');

create table audit_start (
  tenant_id uuid primary key,
  sequence  bigint not null,
  hash      bytea not null
);
select marimo.protect_tenant_table('audit_start');

create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('workers.forgetting', true) = 'on' then return null; end if;
  raise exception 'the audit is only added to' using errcode = 'restrict_violation';
end $$;

create function forget_audit(most int) returns table (forgotten bigint, up_to bigint, last_hash bytea)
language plpgsql security definer set search_path = workers, pg_temp as $$
declare
  tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  before timestamptz;
  first  bigint;
begin
  select now() - kept_months * interval '1 month' into before from audit_retention where tenant_id = tenant;
  if before is null then return; end if;
  perform from audit_head where tenant_id = tenant for update; -- one at a time, and not while records are added
  select min(sequence) into first from audit_record where tenant_id = tenant;
  -- In the order of the chain: the first record that is young enough ends it, whatever comes behind.
  select coalesce(min(sequence) - 1, (select max(sequence) from audit_record where tenant_id = tenant)) into up_to
    from audit_record where tenant_id = tenant and occurred_at >= before;
  up_to := least(up_to, first + most - 1);
  if up_to is null or up_to < first then return; end if;
  select hash into last_hash from audit_record where tenant_id = tenant and sequence = up_to;
  insert into audit_start (tenant_id, sequence, hash) values (tenant, up_to, last_hash)
    on conflict (tenant_id) do update set sequence = excluded.sequence, hash = excluded.hash;
  perform set_config('workers.forgetting', 'on', true);
  delete from audit_record where tenant_id = tenant and sequence <= up_to;
  perform set_config('workers.forgetting', '', true);
  forgotten := up_to - first + 1;
  return next;
end $$;

do $$ begin
  execute format('revoke all on function forget_audit(int) from public');
  execute format('grant execute on function forget_audit(int) to %I', current_schema() || '_app');
  execute format('revoke insert, update, delete on audit_start from %I', current_schema() || '_app');
end $$;
