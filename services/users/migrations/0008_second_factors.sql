-- A password can be read over a shoulder, guessed or caught by a false page; a second factor cannot be used with it from
-- afar. All of this is a person's, so it belongs to no organisation, as the person does.
create table second_factor (
  factor_id    uuid primary key,
  person_id    uuid not null references person,
  kind         text not null check (kind in ('totp', 'passkey')),
  name         text not null,
  begun_at     timestamptz not null,
  added_at     timestamptz, -- empty until its first code has come: until then it is asked of nobody
  last_used_at timestamptz
);
create index second_factor_by_person on second_factor (person_id);
create index second_factor_begun on second_factor (begun_at) where added_at is null;
comment on table second_factor is 'global: asked for before the tenant is entered, and in every organisation alike';

-- What seals the secrets below: a random key, itself sealed with one made of JWT_SECRET, so that a new JWT_SECRET means
-- sealing one row anew and not the secret of everybody.
create table factor_key (
  key_id     uuid primary key,
  sealed_key bytea not null,
  made_at    timestamptz not null
);
comment on table factor_key is 'global: one for the installation; more only after JWT_SECRET was lost';

create table totp_secret (
  factor_id     uuid primary key references second_factor on delete cascade,
  key_id        uuid not null references factor_key,
  sealed_secret bytea not null,
  last_step     bigint -- the time step of the last code taken; no code of it or before is taken again
);
comment on table totp_secret is 'global: part of second_factor';

create table passkey (
  factor_id     uuid primary key references second_factor on delete cascade,
  credential_id bytea not null unique,
  public_key    bytea not null, -- COSE
  counter       bigint not null, -- signatures made, as the device last said; devices that do not count say 0
  transports    text[] not null
);
comment on table passkey is 'global: part of second_factor';

create table recovery_code (
  person_id uuid not null references person,
  code_hash bytea not null, -- SHA-256 of 80 random bits; there is nothing to guess from
  used_at   timestamptz,
  primary key (person_id, code_hash)
);
comment on table recovery_code is 'global: stands in for a second factor that is lost';

-- One row for each person who has or had a second factor: changes wait for each other on it, and wrong codes are
-- counted in it, wherever they come from.
create table second_factor_standing (
  person_id     uuid primary key references person,
  failures      int not null default 0, -- wrong codes since the last right one
  blocked_until timestamptz
);
comment on table second_factor_standing is 'global: codes are guessed before the tenant is entered';

-- What we asked and wait for. The text itself is nowhere: whoever reads this table can answer nothing.
create table challenge (
  challenge_hash bytea primary key, -- SHA-256
  purpose        text not null check (purpose in ('login', 'passkey-login', 'add-passkey', 'step-up')),
  person_id      uuid references person, -- empty while nobody has said who they are
  tenant_id      uuid,
  session_id     uuid,
  methods        text[] not null default '{}', -- what was proved before
  first_proof    bytea, -- hash of the stored password that was matched: a challenge ends with its password
  failures       int not null default 0,
  expires_at     timestamptz not null,
  check ((purpose = 'passkey-login') = (person_id is null)),
  check ((purpose = 'login') = (tenant_id is not null)),
  check ((purpose in ('add-passkey', 'step-up')) = (session_id is not null))
);
create index challenge_by_end on challenge (expires_at);
create index challenge_by_person on challenge (person_id);
comment on table challenge is 'global: answered before any tenant is known';

do $$ begin
  -- Losing it would void the secret of every authenticator app.
  execute format('revoke delete on factor_key from %I', current_schema() || '_app');
end $$;
