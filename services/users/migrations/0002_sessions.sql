-- One sign-in of one person; all refresh tokens of a session are one family, of which one at most is alive.
create table session (
  tenant_id    uuid not null,
  session_id   uuid not null,
  person_id    uuid not null,
  client       text not null, -- what the program that signed in called itself
  started_at   timestamptz not null,
  last_used_at timestamptz not null,
  expires_at   timestamptz not null, -- absolute: no refresh moves it
  ended_at     timestamptz,
  end_reason   text,
  check ((ended_at is null) = (end_reason is null)),
  primary key (tenant_id, session_id),
  foreign key (tenant_id, person_id) references member
);
create index session_by_person on session (tenant_id, person_id);
select marimo.protect_tenant_table('session');

-- Used tokens stay as long as their session: one that comes again shows that somebody else holds a copy.
create table refresh_token (
  tenant_id  uuid not null,
  token_hash bytea not null, -- SHA-256; the token itself is nowhere
  session_id uuid not null,
  issued_at  timestamptz not null,
  used_at    timestamptz,
  used_by    bytea, -- hash of what the client that used it called itself
  check ((used_at is null) = (used_by is null)),
  primary key (tenant_id, token_hash),
  foreign key (tenant_id, session_id) references session on delete cascade
);
create index refresh_token_by_session on refresh_token (tenant_id, session_id);
select marimo.protect_tenant_table('refresh_token');

-- What verifiers poll. Commits come out of order, so no row's time or number can be a cursor: a verifier continues
-- from the oldest transaction that was still running when it asked last.
create table revocation (
  session_id     uuid primary key,
  revoked_at     timestamptz not null,
  transaction_id xid8 not null default pg_current_xact_id()
);
create index revocation_by_time on revocation (revoked_at);
comment on table revocation is 'global: random ids only; verifiers of every service read it and know no tenant';
