-- Organisations and memberships have a life: they are suspended, left and closed, and somebody asks later how it was.
alter table organisation
  add column time_zone             text not null default 'UTC',
  add column state                 text not null default 'active'
                                   check (state in ('active', 'suspended', 'closing', 'closed')),
  add column closes_at             timestamptz, -- until then it can still be reopened
  add column require_second_factor boolean not null default false,
  add column strict_separation     boolean not null default false, -- of duties, inside built-in roles too
  add column version               int not null default 1, -- for If-Match
  add check ((state in ('closing', 'closed')) = (closes_at is not null));

alter table person
  alter column password_hash drop not null, -- who signs in elsewhere has none
  add column time_zone         text not null default 'UTC',
  add column email_verified_at timestamptz,
  add column version           int not null default 1;

alter table member
  add column state text not null default 'active' check (state in ('active', 'suspended', 'left'));

-- The spans in which somebody was an active member, for questions about the past.
create table member_period (
  tenant_id uuid not null,
  person_id uuid not null,
  began_at  timestamptz not null,
  ended_at  timestamptz check (ended_at >= began_at),
  primary key (tenant_id, person_id, began_at),
  foreign key (tenant_id, person_id) references member
);
create unique index member_period_open on member_period (tenant_id, person_id) where ended_at is null;
select marimo.protect_tenant_table('member_period');

-- Where a person is a member, for the list they choose from; kept in the transaction that changes the membership.
create table workplace (
  person_id uuid not null references person,
  tenant_id uuid not null,
  primary key (person_id, tenant_id)
);
comment on table workplace is 'global: a person finds their organisations before any tenant is known';

alter table session
  add column device_name      text,
  add column address          text not null default '',
  add column authenticated_at timestamptz, -- the last proof of identity; a refresh is none
  add column methods          text[] not null default '{pwd}';

-- The owner is bound by the tenants' policies as well; what moves rows of every tenant lifts that for its transaction.
alter table member no force row level security;
alter table member_period no force row level security;
alter table session no force row level security;
insert into member_period (tenant_id, person_id, began_at) select tenant_id, person_id, joined_at from member;
insert into workplace (person_id, tenant_id) select person_id, tenant_id from member;
update session set authenticated_at = started_at;
alter table member force row level security;
alter table member_period force row level security;
alter table session force row level security;
alter table session alter column authenticated_at set not null;

do $$ begin
  execute format('revoke delete on member_period from %I', current_schema() || '_app');
end $$;
