-- The answer to each request that came with an Idempotency-Key, written in the transaction of its effect.
-- `json` and not `jsonb`: a repeat gets the same bytes, in the same order.
create table idempotency_key (
  tenant_id      uuid not null,
  user_id        uuid not null,
  route          text not null,
  key            text not null check (length(key) <= 255),
  request_digest bytea not null,
  status         int not null,
  headers        json not null,
  body           json,
  created_at     timestamptz not null default now(),
  primary key (tenant_id, user_id, route, key)
);
create index idempotency_key_created_at on idempotency_key (created_at);
select marimo.protect_tenant_table('idempotency_key');

-- Old answers are deleted for all tenants at once, by a role that sees nothing but their age.
select marimo.admit_relay('idempotency_key', 'select (created_at), delete');
