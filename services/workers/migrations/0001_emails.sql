-- Mail is written here in the transaction that handles the event it is about, and sent afterwards: a mail cannot be
-- rolled back. One event is one mail.
create table email (
  tenant_id       uuid not null,
  email_id        uuid not null, -- the event's; the Message-ID is made of it, so that a mail sent twice is one mail
  kind            text not null,
  recipient       text not null,
  recipient_name  text not null,
  subject         text not null,
  text_body       text not null,
  html_body       text not null,
  state           text not null default 'waiting' check (state in ('waiting', 'sent', 'given-up')),
  attempts        int not null default 0,
  created_at      timestamptz not null,
  next_attempt_at timestamptz,
  sent_at         timestamptz,
  last_failure    text,
  check ((state = 'waiting') = (next_attempt_at is not null)),
  check ((state = 'sent') = (sent_at is not null)),
  primary key (tenant_id, email_id)
);
create index email_by_age on email (tenant_id, created_at, email_id);
select marimo.protect_tenant_table('email');

-- Which mail is due, of every tenant. A taken mail becomes due again later, in case who took it dies before it tells.
create table email_due (
  tenant_id uuid not null,
  email_id  uuid not null,
  due_at    timestamptz not null,
  primary key (tenant_id, email_id),
  foreign key (tenant_id, email_id) references email
);
create index email_due_by_time on email_due (due_at);
comment on table email_due is 'global: one sender works for all tenants; it finds ids here and the mail inside its tenant';

do $$ begin
  execute format('revoke delete on email from %I', current_schema() || '_app');
end $$;
