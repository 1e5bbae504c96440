-- Accounts become records: they refer to their parent by its code, as people and the API do, keep who changed them, and
-- can be searched. Of accounts that were there before nobody knows the author; the audit does.
alter table account
  add column parent_code text,
  add column created_at  timestamptz not null default now(),
  add column created_by  uuid not null default '00000000-0000-0000-0000-000000000000',
  add column changed_at  timestamptz not null default now(),
  add column changed_by  uuid not null default '00000000-0000-0000-0000-000000000000';

alter table account no force row level security;
update account set parent_code = parent.code
from account as parent
where parent.tenant_id = account.tenant_id and parent.account_id = account.parent_id;
alter table account force row level security;

alter table account
  drop column parent_id,
  add check (parent_code <> code),
  add foreign key (tenant_id, parent_code) references account (tenant_id, code),
  alter column created_at drop default,
  alter column created_by drop default,
  alter column changed_at drop default,
  alter column changed_by drop default,
  alter column version drop default,
  alter column archived drop default;
create index account_parent on account (tenant_id, parent_code);
select marimo.make_searchable('account', 'account_id', '{code, name}');
