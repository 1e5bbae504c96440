-- Programs sign in with keys of their own: a service account's, or one that a person made for a program of theirs.
create table api_key (
  tenant_id      uuid not null,
  key_id         uuid not null, -- the caller's choice
  -- Of its access tokens, to revoke them by. Never the caller's choice: who could take the id of another's session would
  -- void that one's tokens by revoking their own key.
  session_id     uuid not null,
  account_id     uuid,
  person_id      uuid,
  name           text not null,
  scopes         text[] not null,
  created_at     timestamptz not null,
  created_by     uuid not null,
  last_used_at   timestamptz, -- the moment of its newest access token: a revocation is dated no earlier, so that none slips through
  last_used_from text,
  revoked_at     timestamptz,
  check (num_nonnulls(account_id, person_id) = 1),
  primary key (tenant_id, key_id),
  foreign key (tenant_id, account_id) references service_account,
  foreign key (tenant_id, person_id) references member
);
create index api_key_by_account on api_key (tenant_id, account_id, created_at) where account_id is not null;
create index api_key_by_person on api_key (tenant_id, person_id, created_at) where person_id is not null;
select marimo.protect_tenant_table('api_key');

-- A key that is rotated has several for a while.
create table api_key_secret (
  tenant_id   uuid not null,
  secret_hash bytea not null check (length(secret_hash) = 32), -- SHA-256 of the whole key; 32 random bytes need no slow hash
  key_id      uuid not null,
  prefix      text not null, -- what it is recognised by in lists
  made_at     timestamptz not null,
  valid_until timestamptz not null, -- to the second, as tokens end
  primary key (tenant_id, secret_hash),
  foreign key (tenant_id, key_id) references api_key
);
create index api_key_secret_by_key on api_key_secret (tenant_id, key_id, made_at);
select marimo.protect_tenant_table('api_key_secret');

do $$ begin
  execute format('revoke delete on api_key, api_key_secret from %I', current_schema() || '_app');
end $$;
