-- A report must not read the history, so turnovers are kept as lines arrive: by month, and by day for the month that a
-- report ends in. The database keeps them itself, for whoever inserts lines; nobody else can write them.
-- Rows are taken in the order of their key, months before days, so that two postings never wait for each other.
create table account_month (
  tenant_id         uuid not null,
  account_id        uuid not null,
  currency          text not null,
  month             date not null check (extract(day from month) = 1),
  debit_minor       bigint not null,
  credit_minor      bigint not null,
  base_debit_minor  bigint not null,
  base_credit_minor bigint not null,
  primary key (tenant_id, account_id, currency, month),
  foreign key (tenant_id, account_id) references account
) with (fillfactor = 70);
select marimo.protect_tenant_table('account_month');

create table account_day (
  tenant_id         uuid not null,
  day               date not null,
  account_id        uuid not null,
  currency          text not null,
  debit_minor       bigint not null,
  credit_minor      bigint not null,
  base_debit_minor  bigint not null,
  base_credit_minor bigint not null,
  primary key (tenant_id, day, account_id, currency),
  foreign key (tenant_id, account_id) references account
) with (fillfactor = 70);
select marimo.protect_tenant_table('account_day');
revoke insert, update, delete on account_month, account_day from accounting_app;

create function keep_balances() returns trigger language plpgsql
security definer set search_path = accounting, pg_temp as $$
begin
  insert into account_month as kept
  select tenant_id, account_id, currency, date_trunc('month', posting_date::timestamp)::date as month,
         sum(debit_minor), sum(credit_minor), sum(base_debit_minor), sum(base_credit_minor)
  from new_lines
  group by tenant_id, account_id, currency, month
  order by tenant_id, account_id, currency, month
  on conflict (tenant_id, account_id, currency, month) do update set
    debit_minor = kept.debit_minor + excluded.debit_minor,
    credit_minor = kept.credit_minor + excluded.credit_minor,
    base_debit_minor = kept.base_debit_minor + excluded.base_debit_minor,
    base_credit_minor = kept.base_credit_minor + excluded.base_credit_minor;

  insert into account_day as kept
  select tenant_id, posting_date, account_id, currency,
         sum(debit_minor), sum(credit_minor), sum(base_debit_minor), sum(base_credit_minor)
  from new_lines
  group by tenant_id, posting_date, account_id, currency
  order by tenant_id, posting_date, account_id, currency
  on conflict (tenant_id, day, account_id, currency) do update set
    debit_minor = kept.debit_minor + excluded.debit_minor,
    credit_minor = kept.credit_minor + excluded.credit_minor,
    base_debit_minor = kept.base_debit_minor + excluded.base_debit_minor,
    base_credit_minor = kept.base_credit_minor + excluded.base_credit_minor;
  return null;
end $$;

-- Triggers of one event run in the order of their names: the balance rule first.
create trigger kept_balances after insert on journal_line
  referencing new table as new_lines
  for each statement execute function keep_balances();

-- What was posted to each account up to and including a day: whole months, then the days of the last one.
create function turnover_until(tenant uuid, until date) returns table (
  account_id uuid, currency text,
  debit_minor bigint, credit_minor bigint, base_debit_minor bigint, base_credit_minor bigint
) language sql stable parallel safe as $$
  select account_id, currency, debit_minor, credit_minor, base_debit_minor, base_credit_minor
  from accounting.account_month
  where tenant_id = tenant and month < date_trunc('month', until::timestamp)::date
  union all
  select account_id, currency, debit_minor, credit_minor, base_debit_minor, base_credit_minor
  from accounting.account_day
  where tenant_id = tenant and day between date_trunc('month', until::timestamp)::date and until
$$;
