-- Whoever works nowhere any more registers an organisation with the account they have. Their second factor is asked for
-- before there is a tenant to sign in to.
alter table challenge
  drop constraint challenge_purpose_check,
  add constraint challenge_purpose_check
    check (purpose in ('login', 'register', 'passkey-login', 'add-passkey', 'step-up'));
