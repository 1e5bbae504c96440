-- The chart of accounts is a tree. People know an account by the organisation's own code; lines keep its id, so that
-- nothing posted depends on a text.
create table account (
  tenant_id  uuid not null,
  account_id uuid not null,
  code       text not null check (code <> ''),
  name       text not null check (name <> ''),
  type       text not null check (type in ('asset', 'liability', 'equity', 'income', 'expense')),
  parent_id  uuid check (parent_id <> account_id),
  is_group   boolean not null,
  archived   boolean not null default false,
  version    int not null default 1,
  primary key (tenant_id, account_id),
  unique (tenant_id, code),
  foreign key (tenant_id, parent_id) references account
);
create index account_parent on account (tenant_id, parent_id);
select marimo.protect_tenant_table('account');
revoke delete on account from accounting_app;
