-- What is known of the files whose bytes lie in the object store under <service>/<tenant_id>/<file_id>. A row comes last,
-- after the content was inspected, and goes first: without it nobody reads the object.
create table file (
  tenant_id          uuid not null,
  file_id            uuid not null,
  name               text not null check (length(name) between 1 and 200),
  content_type       text not null,
  size_bytes         bigint not null check (size_bytes >= 0),
  sha256             bytea not null check (octet_length(sha256) = 32),
  created_by         uuid,
  created_at         timestamptz not null default now(),
  -- Null while something refers to it. A file nobody has referred to for a day is swept.
  unreferenced_since timestamptz default now(),
  primary key (tenant_id, file_id)
);
create index file_unreferenced_since on file (unreferenced_since) where unreferenced_since is not null;
select marimo.protect_tenant_table('file');

-- The sweep works for all tenants at once, and sees no names.
select marimo.admit_relay('file', 'select (tenant_id, file_id, unreferenced_since), delete');

create table file_reference (
  tenant_id  uuid not null,
  owner_kind text not null,
  owner_id   uuid not null,
  file_id    uuid not null,
  primary key (tenant_id, owner_kind, owner_id, file_id),
  foreign key (tenant_id, file_id) references file
);
create index file_reference_file on file_reference (tenant_id, file_id);
select marimo.protect_tenant_table('file_reference');
