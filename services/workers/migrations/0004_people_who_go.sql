-- Somebody who has their personal data erased must be found in what the workers keep, and not be written down again by
-- an event that comes late.
alter table email add column person_id uuid; -- whose mailbox it went to, where that is known
create index email_by_person on email (tenant_id, person_id);

-- Until now each mail had a notification beside it, of the same event and the same person.
alter table email no force row level security;
alter table notification no force row level security;
update email set person_id = n.person_id
  from notification n
 where n.tenant_id = email.tenant_id and n.notification_id = email.email_id;
alter table email force row level security;
alter table notification force row level security;

create table erased_person (
  tenant_id uuid not null,
  person_id uuid not null,
  erased_at timestamptz not null,
  primary key (tenant_id, person_id)
);
select marimo.protect_tenant_table('erased_person');
