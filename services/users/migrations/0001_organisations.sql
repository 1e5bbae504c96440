-- Who the platform's customers are and who works for them.
create table organisation (
  tenant_id     uuid primary key, -- the organisation's own id: it is the tenant
  name          text not null,
  base_currency text not null check (base_currency ~ '^[A-Z]{3}$'),
  language      text not null check (language in ('ru', 'en')),
  registered_at timestamptz not null
);
select marimo.protect_tenant_table('organisation');

-- Somebody signs in with an e-mail alone, so people are found before any tenant is known.
create table person (
  person_id      uuid primary key,
  email          text not null,
  email_key      text not null unique, -- NFC, lower case: the same mailbox in any writing
  name           text not null,
  language       text not null check (language in ('ru', 'en')),
  password_hash  text not null,
  last_tenant_id uuid not null, -- where the next sign-in leads
  last_seen_at   timestamptz not null
);
create index person_by_last_seen on person (last_seen_at);
comment on table person is 'global: a person signs in before any tenant is known, and may belong to several';

create table member (
  tenant_id     uuid not null references organisation,
  person_id     uuid not null references person,
  roles         text[] not null,
  roles_version int not null default 1, -- grows when the roles change
  joined_at     timestamptz not null,
  primary key (tenant_id, person_id)
);
select marimo.protect_tenant_table('member');

-- Registrations that came with an Idempotency-Key, for a day. It holds no answer, because that would hold tokens,
-- and no trace of the password: a repetition proves it anew.
create table registration (
  key_hash       bytea primary key,
  request_digest bytea not null,
  person_id      uuid not null,
  tenant_id      uuid not null,
  registered_at  timestamptz not null
);
create index registration_by_time on registration (registered_at);
comment on table registration is 'global: a key comes again before any tenant is known';

do $$ begin
  execute format('revoke delete on organisation, person, member from %I', current_schema() || '_app');
end $$;
