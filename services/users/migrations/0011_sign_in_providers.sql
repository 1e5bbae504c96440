-- Members sign in with their organisation's own OpenID provider. It vouches for them in that organisation alone.
create table sign_in_provider (
  tenant_id           uuid not null references organisation,
  provider_id         uuid not null,
  name                text not null,
  issuer              text not null,
  client_id           text not null,
  sealed_secret       bytea, -- as those of authenticator apps; none for a public client
  secret_key_id       uuid references factor_key,
  scopes              text[] not null,
  roles_claim         text not null,
  roles               jsonb not null, -- from a value of the claim to a role
  default_roles       text[] not null,
  create_members      boolean not null,
  email_domains       text[] not null,
  trust_second_factor boolean not null,
  enabled             boolean not null,
  created_at          timestamptz not null,
  version             int not null default 1, -- for If-Match
  check ((sealed_secret is null) = (secret_key_id is null)),
  primary key (tenant_id, provider_id)
);
select marimo.protect_tenant_table('sign_in_provider');

-- Whom the provider calls by which subject; an issuer never gives one to somebody else (OpenID Connect Core, section 2).
create table federated_identity (
  tenant_id    uuid not null,
  provider_id  uuid not null,
  subject      text not null,
  person_id    uuid not null,
  linked_at    timestamptz not null,
  last_used_at timestamptz not null,
  primary key (tenant_id, provider_id, subject),
  foreign key (tenant_id, provider_id) references sign_in_provider,
  foreign key (tenant_id, person_id) references member
);
create index federated_identity_by_person on federated_identity (tenant_id, person_id);
select marimo.protect_tenant_table('federated_identity');

-- Sign-ins that have begun. What PKCE and the nonce need is computed from the state, so nothing here is a secret.
create table federated_sign_in (
  tenant_id    uuid not null,
  state_hash   bytea not null,
  provider_id  uuid not null,
  browser_hash bytea not null, -- of what only the browser has that began it
  expires_at   timestamptz not null,
  used_at      timestamptz,
  primary key (tenant_id, state_hash),
  foreign key (tenant_id, provider_id) references sign_in_provider
);
create index federated_sign_in_by_age on federated_sign_in (tenant_id, expires_at);
select marimo.protect_tenant_table('federated_sign_in');

-- What a provider gave, it also takes away at a later sign-in; what people gave, it leaves alone.
alter table role_assignment
  add column provider_id uuid,
  add foreign key (tenant_id, provider_id) references sign_in_provider;

do $$ begin
  execute format('revoke delete on sign_in_provider from %I', current_schema() || '_app');
end $$;
