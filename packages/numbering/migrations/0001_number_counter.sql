-- A series without gaps needs a counter that is a row, taken in the transaction that uses the number. There is one for
-- each text around the counter: 'INV-2026-{n}', so that no change of pattern brings a number twice.
create table number_counter (
  tenant_id     uuid not null,
  series        text not null,
  frame         text not null,
  lane          smallint not null, -- always 0 where gaps are not allowed
  started_after bigint not null,
  last_number   bigint not null check (last_number >= started_after),
  primary key (tenant_id, series, frame, lane)
) with (fillfactor = 20); -- written with each number: its page keeps room to do that in place
select marimo.protect_tenant_table('number_counter');

-- Series whose pattern is not the usual one any more.
create table number_pattern (
  tenant_id uuid not null,
  series    text not null,
  pattern   text not null,
  version   int not null,
  primary key (tenant_id, series)
);
select marimo.protect_tenant_table('number_pattern');

create table number_series_change (
  tenant_id  uuid not null,
  series     text not null,
  version    int not null,
  changed_at timestamptz not null,
  changed_by uuid not null,
  pattern    text not null,
  next       text,
  primary key (tenant_id, series, version)
);
select marimo.protect_tenant_table('number_series_change');

do $$ begin
  execute format('revoke delete on number_counter, number_pattern from %I', current_schema() || '_app');
  execute format('revoke update, delete on number_series_change from %I', current_schema() || '_app');
end $$;
