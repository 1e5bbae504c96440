-- Who changed what of a record, from and to. Written with the change; nobody edits it.
create table record_change (
  tenant_id  uuid not null,
  record     text not null, -- `item`
  record_id  uuid not null,
  version    int not null,
  action     text not null,
  changed_at timestamptz not null,
  changed_by uuid not null,
  told       jsonb, -- what a transition was told, such as a reason
  changes    jsonb not null, -- [{"field", "from", "to"}], without from and to where the field is personal
  -- Of the content a record was created with: the same request again is a repetition, other content is a conflict.
  digest     bytea,
  primary key (tenant_id, record, record_id, version)
);
select marimo.protect_tenant_table('record_change');
revoke update, delete on record_change from public;
