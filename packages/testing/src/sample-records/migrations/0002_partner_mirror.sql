-- What the sample service keeps of the partners of another.
create table partner_mirror (
  tenant_id             uuid not null,
  partner_id            uuid not null,
  code                  text not null,
  name                  text not null,
  contact_email         text,
  credit_limit_minor    bigint,
  credit_limit_currency text,
  state                 text not null,
  archived              boolean not null,
  version               int not null,
  primary key (tenant_id, partner_id)
);
select marimo.protect_tenant_table('partner_mirror');
