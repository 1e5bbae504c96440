-- How the client secret is sent, where an organisation chooses; otherwise by what the provider offers.
alter table sign_in_provider
  add column client_authentication text
    check (client_authentication in ('client_secret_post', 'client_secret_basic'));
