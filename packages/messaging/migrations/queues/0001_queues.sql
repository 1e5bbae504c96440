-- The queues of an installation without RabbitMQ. They hold what is on its way between services, of all tenants,
-- as a broker does; only the transport reads them.
create table queue (
  name     text primary key,
  patterns text[] not null -- regular expressions over '.' || event type
);
comment on table queue is 'global: stands in for a message broker';

create table delivery (
  id       bigint generated always as identity primary key,
  queue    text not null,
  event_id uuid not null,
  type     text not null,
  envelope json not null,
  attempt  int not null default 0,
  -- When it may be taken: now, after the delay of a retry, or when the lease of whoever holds it has run out.
  due_at   timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index delivery_by_due_time on delivery (queue, due_at, id);
comment on table delivery is 'global: stands in for a message broker';

create table dead_letter (
  id       bigint generated always as identity primary key,
  queue    text not null,
  event_id uuid not null,
  type     text not null,
  envelope json not null,
  attempts int not null,
  reason   text not null,
  died_at  timestamptz not null default now()
);
create index dead_letter_by_queue on dead_letter (queue, id);
comment on table dead_letter is 'global: stands in for a message broker';
