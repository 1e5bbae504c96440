-- An entry knows how many lines it has: a foreign key to its last line, checked at commit, then refuses an entry whose
-- lines are missing, without a trigger for each row. Lines repeat the posting date so that an account can be read by
-- date from one index.
create table journal_entry (
  tenant_id    uuid not null,
  entry_id     uuid not null,
  journal_id   uuid not null,
  fiscal_year  int not null,
  sequence     bigint not null check (sequence > 0),
  number       text not null,
  posting_date date not null,
  description  text not null,
  line_count   int not null check (line_count between 2 and 10000),
  digest       bytea not null check (length(digest) = 32),
  reversal_of  uuid check (reversal_of <> entry_id),
  posted_by    uuid not null,
  posted_at    timestamptz not null default now(),
  primary key (tenant_id, entry_id),
  unique (tenant_id, journal_id, fiscal_year, sequence),
  unique (tenant_id, reversal_of),
  foreign key (tenant_id, journal_id) references journal,
  foreign key (tenant_id, reversal_of) references journal_entry
);
create index journal_entry_by_date on journal_entry (tenant_id, posting_date, sequence, entry_id);
select marimo.protect_tenant_table('journal_entry');

create table journal_line (
  tenant_id         uuid not null,
  entry_id          uuid not null,
  line_number       int not null check (line_number > 0),
  account_id        uuid not null,
  posting_date      date not null,
  currency          text not null check (currency ~ '^[A-Z]{3}$'),
  debit_minor       bigint not null check (debit_minor >= 0),
  credit_minor      bigint not null check (credit_minor >= 0),
  base_debit_minor  bigint not null check (base_debit_minor >= 0),
  base_credit_minor bigint not null check (base_credit_minor >= 0),
  description       text,
  check ((debit_minor = 0) <> (credit_minor = 0)),
  -- A small foreign amount may be worth nothing in the base currency, but never stands on the other side there.
  check ((debit_minor > 0 or base_debit_minor = 0) and (credit_minor > 0 or base_credit_minor = 0)),
  primary key (tenant_id, entry_id, line_number),
  foreign key (tenant_id, entry_id) references journal_entry,
  foreign key (tenant_id, account_id) references account
);
create index journal_line_by_account on journal_line (tenant_id, account_id, posting_date);
select marimo.protect_tenant_table('journal_line');

alter table journal_entry add constraint journal_entry_has_its_lines
  foreign key (tenant_id, entry_id, line_count) references journal_line (tenant_id, entry_id, line_number)
  deferrable initially deferred;
