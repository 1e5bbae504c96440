-- Records that arrive together are added in one statement, so the head of a chain moves on by many at a time. It still
-- only follows records that are there: the first of them continues the old head, the last one is the new head.
drop trigger head_only_moves_on on audit_head;

create or replace function refuse_other_head() returns trigger language plpgsql as $$
begin
  if new.sequence <= old.sequence
     or not exists (select from audit_record as record
                     where record.tenant_id = old.tenant_id and record.sequence = old.sequence + 1
                       and record.previous_hash = old.hash)
     or not exists (select from audit_record as record
                     where record.tenant_id = new.tenant_id and record.sequence = new.sequence
                       and record.previous_hash = new.previous_hash and record.hash = new.hash) then
    raise exception 'the head of the audit only moves on to records that follow it'
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create trigger head_only_moves_on before update on audit_head
  for each row execute function refuse_other_head();
