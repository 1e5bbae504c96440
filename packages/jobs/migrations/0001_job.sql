-- Work that outlives its request. The row is the queue, the state and the result: it is written in the transaction that
-- asks for the work, so there is no moment in which the two could differ.
create table job (
  tenant_id    uuid not null,
  job_id       uuid not null,
  kind         text not null,
  input        json not null,
  state        text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  done         bigint not null default 0,
  "of"         bigint,
  message      text,
  result       json,
  file_id      uuid,
  problem      json,
  asked_by     uuid not null,
  asker        json not null, -- the person with the rights of that moment
  cause        json not null, -- the request, for the trace and the audit
  scheduled_for timestamptz, -- by its schedule
  asked_at     timestamptz(3) not null default now(),
  started_at   timestamptz,
  ended_at     timestamptz,
  due_at       timestamptz not null default now(),
  attempt      int not null default 0, -- also the proof of still holding it: whoever takes it over has the next number
  lease_until  timestamptz,
  cancel_asked boolean not null default false,
  primary key (tenant_id, job_id)
);
create index job_waiting on job (tenant_id, due_at, job_id) where state = 'queued';
create index job_running on job (tenant_id, lease_until) where state = 'running';
create index job_asked on job (tenant_id, asked_at, job_id);
create index job_ended on job (ended_at) where ended_at is not null;
select marimo.protect_tenant_table('job');

-- The runner chooses among all organisations, and sees nothing of what the work is.
select marimo.admit_relay('job', 'select (tenant_id, job_id, state, due_at, attempt, lease_until, started_at, ended_at, cancel_asked),
  update (state, due_at, attempt, lease_until, started_at), delete');

-- Work that comes again, at times of the organisation's own clock.
create table job_schedule (
  tenant_id   uuid not null,
  schedule_id uuid not null,
  kind        text not null,
  input       json not null,
  cron        text not null,
  time_zone   text not null,
  created_by  uuid not null,
  asker       json not null,
  next_at     timestamptz not null,
  last_at     timestamptz,
  primary key (tenant_id, schedule_id)
);
create index job_schedule_due on job_schedule (next_at);
select marimo.protect_tenant_table('job_schedule');
select marimo.admit_relay('job_schedule', 'select (tenant_id, schedule_id, next_at)');
