-- The sample document.
create table rental_invoice (
  tenant_id         uuid not null,
  rental_invoice_id uuid not null,
  invoice_date      date not null,
  customer_name     text not null,
  shelf_id          uuid,
  currency          text not null check (currency in ('RUB', 'EUR')),
  net_minor         bigint not null,
  net_currency      text not null,
  tax_minor         bigint not null,
  tax_currency      text not null,
  gross_minor       bigint not null,
  gross_currency    text not null,
  number            text,
  reversal_of_id    uuid,
  reversed_by_id    uuid,
  cancel_reason     text,
  state             text not null check (state in ('draft', 'posted', 'reversed', 'cancelled')),
  custom            jsonb not null,
  archived          boolean not null,
  version           int not null,
  created_at        timestamptz not null,
  created_by        uuid not null,
  changed_at        timestamptz not null,
  changed_by        uuid not null,
  check ((number is not null) = (state in ('posted', 'reversed'))),
  primary key (tenant_id, rental_invoice_id),
  unique (tenant_id, number),
  unique (tenant_id, reversal_of_id),
  foreign key (tenant_id, reversal_of_id) references rental_invoice,
  foreign key (tenant_id, shelf_id) references shelf
);
select marimo.protect_tenant_table('rental_invoice');
select marimo.make_searchable('rental_invoice', 'rental_invoice_id', '{number, customer_name}');
create index rental_invoice_by_date on rental_invoice (tenant_id, invoice_date desc, number, rental_invoice_id);
create index rental_invoice_by_shelf on rental_invoice (tenant_id, shelf_id);
create index rental_invoice_by_gross on rental_invoice (tenant_id, gross_minor, rental_invoice_id);

create table rental_invoice_lines (
  tenant_id         uuid not null,
  rental_invoice_id uuid not null,
  line_number       int not null,
  line_id           uuid not null,
  tool_id           uuid,
  name              text not null,
  time_value        numeric not null,
  time_unit         text not null,
  price_minor       bigint not null,
  price_currency    text not null,
  tax_percent       numeric not null,
  net_minor         bigint not null,
  net_currency      text not null,
  tax_minor         bigint not null,
  tax_currency      text not null,
  primary key (tenant_id, rental_invoice_id, line_number),
  unique (tenant_id, rental_invoice_id, line_id),
  foreign key (tenant_id, rental_invoice_id) references rental_invoice,
  foreign key (tenant_id, tool_id) references tool
);
create index rental_invoice_lines_by_tool on rental_invoice_lines (tenant_id, tool_id);
select marimo.protect_tenant_table('rental_invoice_lines');
select marimo.protect_document('rental_invoice', 'rental_invoice_id', '{rental_invoice_lines}');
