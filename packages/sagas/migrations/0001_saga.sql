-- Work that spans services, as the rows of the service that started it: whoever takes a saga up knows from here all
-- there is to know. `holding` numbers the instances that took it up; a write under an older number finds no row.
create table saga (
  tenant_id      uuid not null,
  saga_id        uuid not null,
  kind           text not null,
  state          text not null default 'running'
                 check (state in ('running', 'undoing', 'stuck', 'done', 'undone', 'given-up')),
  direction      text not null default 'forward' check (direction in ('forward', 'back')),
  input          jsonb not null,
  started_by     uuid,
  request_id     text,
  traceparent    text,
  started_at     timestamptz(3) not null default now(), -- as precise as the cursor of a page
  changed_at     timestamptz not null default now(),
  finished_at    timestamptz,
  -- When it may be taken up: now, at its next attempt, or when the lease of whoever holds it has run out.
  due_at         timestamptz default now(),
  holding        int not null default 0,
  -- The last holding that wrote something: a distance of two and more says that one ended in the middle of its work.
  settled        int not null default 0,
  -- Until then an earlier attempt may still arrive, so a refusal proves nothing.
  doubtful_until timestamptz,
  failures       int not null default 0,
  failing_since  timestamptz,
  problem        json,
  undone_because json,
  needs          json,
  given_up_by    uuid,
  give_up_reason text,
  primary key (tenant_id, saga_id),
  check ((finished_at is not null) = (state in ('done', 'undone', 'given-up'))),
  check ((due_at is not null) = (state in ('running', 'undoing')))
);
create index saga_by_due_time on saga (due_at) where due_at is not null;
create index saga_by_age on saga (finished_at) where finished_at is not null;
create index saga_stuck on saga (tenant_id) where state = 'stuck';
create index saga_by_start on saga (tenant_id, started_at, saga_id);
create index saga_by_state on saga (tenant_id, state, started_at, saga_id);

-- What is sent is written down before it is sent for the first time, so that a repeat sends the same.
create table saga_step (
  tenant_id    uuid not null,
  saga_id      uuid not null,
  name         text not null,
  place        int not null,
  state        text not null default 'waiting' check (state in ('waiting', 'done', 'refused', 'undone', 'left')),
  request      json,
  result       json,
  undo_request json,
  done_at      timestamptz,
  undone_at    timestamptz,
  primary key (tenant_id, saga_id, name),
  foreign key (tenant_id, saga_id) references saga on delete cascade
);

select marimo.protect_tenant_table('saga'), marimo.protect_tenant_table('saga_step');

-- Sagas are taken up and forgotten for all tenants at once, by a role that sees which and when, and nothing of what.
select marimo.admit_relay('saga',
  'select (tenant_id, saga_id, state, due_at, holding, finished_at), update (due_at, holding), delete');
