-- What the numbers of the tests are given to.
create table paper (
  tenant_id uuid not null,
  series    text not null,
  number    text not null,
  primary key (tenant_id, series, number)
);
select marimo.protect_tenant_table('paper');
