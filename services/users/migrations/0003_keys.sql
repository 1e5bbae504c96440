-- RSA keys that sign access tokens. The private half is sealed with a key made of JWT_SECRET; without it the public
-- half still verifies what was signed before.
create table signing_key (
  kid            text primary key,
  public_key     jsonb not null, -- JWK
  sealed_private bytea not null,
  signs_from     timestamptz not null, -- published before, so that every verifier knows it by then
  verifies_until timestamptz -- set when a newer key takes over
);
comment on table signing_key is 'global: one set of keys signs for every tenant';

-- One per installation, made with the first password; see docs/domain/identity.md#passwords for why it is in clear.
create table password_key (
  only_row boolean primary key default true check (only_row),
  key      bytea not null check (length(key) = 32)
);
comment on table password_key is 'global: passwords are checked before any tenant is known';

do $$ begin
  -- Losing or changing it would void every password.
  execute format('revoke update, delete on password_key from %I', current_schema() || '_app');
end $$;
