-- What an organisation keeps, as one row that every new file has to hold: two at once cannot both take the last room.
create table file_usage (
  tenant_id  uuid primary key,
  used_bytes bigint not null check (used_bytes >= 0)
);
alter table file no force row level security;
insert into file_usage (tenant_id, used_bytes) select tenant_id, sum(size_bytes) from file group by tenant_id;
alter table file force row level security;
select marimo.protect_tenant_table('file_usage');

-- The sweep gives back the room of what it deletes.
select marimo.admit_relay('file_usage', 'select (tenant_id, used_bytes), update (used_bytes)');
do $$ begin
  execute format('grant select (size_bytes) on file to %I', current_schema() || '_relay');
end $$;
