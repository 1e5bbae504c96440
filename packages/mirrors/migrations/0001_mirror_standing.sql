-- How far each mirror of another service's records has been compared with the originals, in each organisation. The first
-- comparison fills it.
create table mirror_standing (
  tenant_id   uuid not null,
  record      text not null, -- what it mirrors: main.partner
  state       text not null default 'unfilled' check (state in ('unfilled', 'filled', 'closed')),
  -- By the clock of the other service: what was changed before has been compared. Null: nothing, so all of it will be.
  compared_to timestamptz,
  -- Of the comparison under way: when it began, by the same clock, and the last id of the last page.
  began_at    timestamptz,
  last_id     uuid,
  -- When it is to be compared, or to be taken over from a process that has ended.
  due_at      timestamptz default now(),
  failures    int not null default 0,
  primary key (tenant_id, record),
  check ((due_at is null) = (state = 'closed'))
);
create index mirror_standing_by_due_time on mirror_standing (record, due_at) where due_at is not null;
select marimo.protect_tenant_table('mirror_standing');

-- Mirrors are taken up for all tenants at once, and begun for every organisation that the service knows of.
select marimo.admit_relay('mirror_standing', 'select, insert, update');
select marimo.admit_relay('organisation_facts', 'select (tenant_id)');
