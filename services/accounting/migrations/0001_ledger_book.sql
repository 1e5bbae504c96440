-- One row for each organisation that keeps books here. The base currency is asked of the users service once and never
-- changes, because every posted amount has been expressed in it.
create table ledger_book (
  tenant_id     uuid primary key,
  base_currency text not null check (base_currency ~ '^[A-Z]{3}$'),
  opened_at     timestamptz not null default now()
);
select marimo.protect_tenant_table('ledger_book');
revoke update, delete on ledger_book from accounting_app;
