-- Organisations pause and close, members come and go, and people are invited.

-- Who is suspended somewhere still finds that place in their list, but no sign-in leads there.
alter table workplace
  add column state text not null default 'active' check (state in ('active', 'suspended'));
create index workplace_by_tenant on workplace (tenant_id);

-- Which organisations close by themselves, and when; the row goes with the closing, or with the reopening.
create table organisation_closing (
  tenant_id uuid primary key,
  closes_at timestamptz not null
);
create index organisation_closing_by_time on organisation_closing (closes_at);
comment on table organisation_closing is
  'global: one job closes for all tenants; it finds ids here and the organisation inside its tenant';

create table invitation (
  tenant_id     uuid not null references organisation,
  invitation_id uuid not null,
  link_id       uuid not null, -- of the mail that works now
  email         text not null,
  email_key     text not null, -- as in person
  roles         text[] not null,
  valid_until   timestamptz, -- of the roles
  language      text not null check (language in ('ru', 'en')), -- of the mail
  invited_by    uuid not null, -- a member or a service account
  invited_at    timestamptz not null,
  mailed_at     timestamptz not null, -- last
  mails         int not null default 1,
  expires_at    timestamptz not null,
  state         text not null default 'open' check (state in ('open', 'accepted', 'revoked', 'replaced')),
  ended_at      timestamptz,
  ended_by      uuid,
  check ((state = 'open') = (ended_at is null)),
  primary key (tenant_id, invitation_id)
);
create unique index invitation_open on invitation (tenant_id, email_key) where state = 'open';
create index invitation_by_age on invitation (tenant_id, invited_at, invitation_id);
create index invitation_by_mail on invitation (tenant_id, mailed_at);
select marimo.protect_tenant_table('invitation');

do $$ begin
  execute format('revoke delete on invitation from %I', current_schema() || '_app');
end $$;
