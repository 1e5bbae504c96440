-- People may take along, or have erased, what is kept of them. Where that is has to be known also of organisations they
-- have left, and a tenant's tables can be looked into only by who knows the tenant.
create table known_in (
  person_id uuid not null references person,
  tenant_id uuid not null,
  primary key (person_id, tenant_id)
);
comment on table known_in is 'global: a person finds what is kept of them before any tenant is known';

alter table member no force row level security;
insert into known_in (person_id, tenant_id) select person_id, tenant_id from member;
alter table member force row level security;

-- A trigger, so that no way to become a member can forget it.
create function note_where_known() returns trigger language plpgsql as $$
begin
  insert into known_in (person_id, tenant_id) values (new.person_id, new.tenant_id) on conflict do nothing;
  return null;
end $$;
create trigger member_is_known after insert on member for each row execute function note_where_known();

-- Since when the organisation does not know any more who this former member was.
alter table member add column erased_at timestamptz;

do $$ begin
  execute format('revoke update, delete on known_in from %I', current_schema() || '_app');
end $$;
