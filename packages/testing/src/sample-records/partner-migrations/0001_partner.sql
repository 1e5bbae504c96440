-- The table of the sample record of another service.
create table partner (
  tenant_id             uuid not null,
  partner_id            uuid not null,
  code                  text not null,
  name                  text not null,
  currency              text,
  contact_email         text,
  credit_limit_minor    bigint,
  credit_limit_currency text,
  notes                 text,
  state                 text not null check (state in ('active', 'blocked')),
  archived              boolean not null,
  version               int not null,
  created_at            timestamptz not null,
  created_by            uuid not null,
  changed_at            timestamptz not null,
  changed_by            uuid not null,
  check ((credit_limit_minor is null) = (credit_limit_currency is null)),
  primary key (tenant_id, partner_id),
  unique (tenant_id, code)
);
select marimo.protect_tenant_table('partner');
create index partner_by_code on partner (tenant_id, code, partner_id);
