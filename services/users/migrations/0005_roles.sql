-- Who may do what, with its history: nothing here is overwritten, so that a past day can be answered for.
create table own_role (
  tenant_id  uuid not null references organisation,
  name       text not null check (name ~ '^[a-z][a-z_]{1,39}$'),
  title      text not null,
  created_at timestamptz not null,
  deleted_at timestamptz,
  version    int not null default 1, -- for If-Match
  primary key (tenant_id, name)
);
select marimo.protect_tenant_table('own_role');

create table own_role_grants (
  tenant_id uuid not null,
  name      text not null,
  since     timestamptz not null,
  until     timestamptz check (until >= since),
  grants    text[] not null,
  primary key (tenant_id, name, since),
  foreign key (tenant_id, name) references own_role
);
create unique index own_role_grants_now on own_role_grants (tenant_id, name) where until is null;
select marimo.protect_tenant_table('own_role_grants');

-- A program that acts for the organisation, with roles like a member.
create table service_account (
  tenant_id     uuid not null references organisation,
  account_id    uuid not null,
  name          text not null,
  roles_version int not null default 1,
  created_at    timestamptz not null,
  created_by    uuid not null,
  disabled_at   timestamptz,
  version       int not null default 1, -- for If-Match
  primary key (tenant_id, account_id)
);
select marimo.protect_tenant_table('service_account');

-- A role given to a member or to a service account. The role is a built-in one, or one of the organisation's own.
create table role_assignment (
  tenant_id     uuid not null,
  assignment_id uuid not null,
  person_id     uuid,
  account_id    uuid,
  role          text not null,
  valid_from    timestamptz not null,
  valid_until   timestamptz check (valid_until > valid_from),
  granted_at    timestamptz not null,
  granted_by    uuid, -- empty for the first administrator, whom nobody made one
  revoked_at    timestamptz,
  revoked_by    uuid,
  check (num_nonnulls(person_id, account_id) = 1),
  primary key (tenant_id, assignment_id),
  foreign key (tenant_id, person_id) references member,
  foreign key (tenant_id, account_id) references service_account
);
create index role_assignment_by_person on role_assignment (tenant_id, person_id) where revoked_at is null;
create index role_assignment_by_account on role_assignment (tenant_id, account_id) where revoked_at is null;
create index role_assignment_by_role on role_assignment (tenant_id, role) where revoked_at is null;
select marimo.protect_tenant_table('role_assignment');

alter table member no force row level security;
alter table role_assignment no force row level security;
insert into role_assignment (tenant_id, assignment_id, person_id, role, valid_from, granted_at)
select tenant_id, gen_random_uuid(), person_id, role, joined_at, joined_at from member, unnest(roles) as role;
alter table member force row level security;
alter table role_assignment force row level security;
alter table member drop column roles;

do $$ begin
  execute format('revoke delete on own_role, own_role_grants, service_account, role_assignment from %I',
                 current_schema() || '_app');
end $$;
