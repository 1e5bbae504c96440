-- A legal series of numbers has no gap, which no sequence promises: the counter is a row, taken in the transaction
-- that uses the number. It is written at each posting, so its page keeps room to do that in place.
create table journal (
  tenant_id  uuid not null,
  journal_id uuid not null,
  code       text not null check (code ~ '^[A-Z0-9]{1,10}$'),
  name       text not null check (name <> ''),
  primary key (tenant_id, journal_id),
  unique (tenant_id, code)
);
select marimo.protect_tenant_table('journal');
revoke update, delete on journal from accounting_app;

create table number_series (
  tenant_id   uuid not null,
  journal_id  uuid not null,
  fiscal_year int not null,
  last_number bigint not null check (last_number > 0),
  primary key (tenant_id, journal_id, fiscal_year),
  foreign key (tenant_id, journal_id) references journal
) with (fillfactor = 20);
select marimo.protect_tenant_table('number_series');
revoke delete on number_series from accounting_app;
