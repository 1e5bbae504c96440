-- What a mail that is on its way is about: whom it goes to and, if it leads somewhere, which link it holds. The event
-- that asks for the mail names only the row, so that neither a person's address nor anything that opens their account
-- lies in an outbox, at a broker or in the audit; the mail worker asks for both when it writes the mail.
create table mail_link (
  link_id    uuid primary key,
  purpose    text not null check (purpose in ('invitation', 'verify-email', 'reset-password', 'notice')),
  subject_id uuid not null, -- what it is about: the invitation, the person; a notice is about itself
  tenant_id  uuid not null, -- the organisation in whose name the mail is written
  person_id  uuid references person, -- empty for who is only invited
  email      text not null,
  email_key  text not null,
  name       text not null,
  language   text not null check (language in ('ru', 'en')),
  issued_at  timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz,
  -- A newer link takes the row of the one before, which is dead from then on.
  unique (purpose, subject_id)
);
create index mail_link_by_expiry on mail_link (expires_at);
create index mail_link_by_person on mail_link (person_id);
comment on table mail_link is 'global: a link is used before any tenant is known, and what opens it is not in the table';
