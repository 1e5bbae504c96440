-- What every service must know of an organisation: kept here from the events of the users service, so that a request
-- needs no question over the network. Only `told_at` decides which of two events is the newer one.
create table organisation_facts (
  tenant_id     uuid primary key,
  name          text not null,
  base_currency text not null check (base_currency ~ '^[A-Z]{3}$'),
  language      text not null,
  time_zone     text not null,
  told_at       timestamptz not null
);
select marimo.protect_tenant_table('organisation_facts');
