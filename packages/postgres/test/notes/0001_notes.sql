-- The smallest service there can be: two tenant tables, one of them referring to the other, and a global one.
create table note (
  tenant_id uuid not null,
  note_id   int not null,
  body      text not null,
  minor     bigint not null default 0,
  written   date not null default '2024-02-29',
  primary key (tenant_id, note_id)
);
select marimo.protect_tenant_table('note');

create table tag (
  tenant_id uuid not null,
  tag_id    int not null,
  note_id   int not null,
  label     text not null,
  primary key (tenant_id, tag_id),
  unique (tenant_id, label),
  foreign key (tenant_id, note_id) references note deferrable initially deferred
);
select marimo.protect_tenant_table('tag');

create table tenant_seen (
  tenant_id uuid primary key,
  number    bigint generated always as identity
);
comment on table tenant_seen is 'global: tells which tenants there are';
