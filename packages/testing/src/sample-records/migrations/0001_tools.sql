-- The tables of the sample records.
create table shelf (
  tenant_id  uuid not null,
  shelf_id   uuid not null,
  code       text not null,
  name       text not null,
  archived   boolean not null,
  version    int not null,
  created_at timestamptz not null,
  created_by uuid not null,
  changed_at timestamptz not null,
  changed_by uuid not null,
  primary key (tenant_id, shelf_id),
  unique (tenant_id, code)
);
select marimo.protect_tenant_table('shelf');

create table tool (
  tenant_id           uuid not null,
  tool_id             uuid not null,
  code                text not null,
  name                text not null,
  notes               text,
  kind                text not null check (kind in ('hand', 'power', 'gauge')),
  bought_on           date,
  last_used_at        timestamptz,
  is_lent             boolean not null,
  pieces              bigint not null check (pieces between 1 and 1000),
  length_metres       numeric,
  length_metres_order double precision generated always as (length_metres::double precision) stored,
  price_minor         bigint,
  price_currency      text check (price_currency ~ '^[A-Z]{3}$'),
  stock_value         numeric,
  stock_unit          text,
  wear_percent        numeric,
  keeper_name         text,
  keeper_email        text,
  keeper_phone        text,
  kept_at             jsonb,
  shelf_id            uuid,
  supplier_id         uuid,
  tags                text[] not null,
  state               text not null check (state in ('new', 'inUse', 'retired')),
  custom              jsonb not null,
  archived            boolean not null,
  version             int not null,
  created_at          timestamptz not null,
  created_by          uuid not null,
  changed_at          timestamptz not null,
  changed_by          uuid not null,
  check ((price_minor is null) = (price_currency is null)),
  check ((stock_value is null) = (stock_unit is null)),
  primary key (tenant_id, tool_id),
  unique (tenant_id, code),
  unique (tenant_id, keeper_email),
  foreign key (tenant_id, shelf_id) references shelf
);
select marimo.protect_tenant_table('tool');
select marimo.make_searchable('tool', 'tool_id', '{code, name, notes}');
create index tool_by_bought_on on tool (tenant_id, bought_on desc, code, tool_id); -- bought_on may be absent
create index tool_by_price on tool (tenant_id, price_minor, tool_id);
create index tool_by_length on tool (tenant_id, length_metres_order, tool_id);
create index tool_by_shelf on tool (tenant_id, shelf_id);

create table tool_parts (
  tenant_id     uuid not null,
  tool_id       uuid not null,
  line_number   int not null,
  line_id       uuid not null,
  name          text not null,
  count         bigint not null,
  cost_minor    bigint,
  cost_currency text,
  primary key (tenant_id, tool_id, line_number),
  unique (tenant_id, tool_id, line_id),
  foreign key (tenant_id, tool_id) references tool
);
select marimo.protect_tenant_table('tool_parts');
