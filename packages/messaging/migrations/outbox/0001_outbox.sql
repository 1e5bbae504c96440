-- An event becomes a row in the transaction that makes its fact true; the relay publishes the row and deletes it.
-- Relayed by state, never by "position above the last": positions are not given in the order of commits.
create table outbox (
  tenant_id uuid not null,
  id        uuid not null,
  position  bigint generated always as identity,
  envelope  json not null,
  added_at  timestamptz not null default now(),
  primary key (tenant_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index outbox_by_position on outbox (position);

-- What each consumer has done; written with its effect, so that an event delivered again has none.
create table inbox (
  tenant_id  uuid not null,
  consumer   text not null,
  event_id   uuid not null,
  handled_at timestamptz not null default now(),
  primary key (tenant_id, consumer, event_id)
);
-- Rows come in the order of their time: a block range index finds the old ones and costs next to nothing to keep.
create index inbox_by_age on inbox using brin (handled_at);

select marimo.protect_tenant_table('outbox'), marimo.protect_tenant_table('inbox');

-- The relay locks rows, which needs the right to update some column; of this one only the order could be changed.
select marimo.admit_relay('outbox', 'select, delete, update (position)');
select marimo.admit_relay('inbox', 'select, delete');

-- The service itself adds and never takes back.
do $$ begin
  execute format('revoke update, delete on outbox, inbox from %I', current_schema() || '_app');
end $$;
