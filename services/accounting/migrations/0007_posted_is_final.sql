-- A posted entry is never changed, only reversed. The grants stop the service; the triggers stop everyone else who
-- comes with SQL, the owner and the administrator among them.
revoke update, delete on journal_entry, journal_line from accounting_app;

create function refuse_change_of_posted() returns trigger language plpgsql as $$
begin
  raise exception 'Posted entries are never changed; post a reversing entry'
    using errcode = 'restrict_violation', constraint = 'posted_is_final';
end $$;

create trigger posted_is_final before update or delete or truncate on journal_entry
  for each statement execute function refuse_change_of_posted();
create trigger posted_is_final before update or delete or truncate on journal_line
  for each statement execute function refuse_change_of_posted();
