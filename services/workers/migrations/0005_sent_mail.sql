-- A link in a mail opens an account, and its secret may lie nowhere but in the mail: what a mail said goes once it is sent
-- or given up. Until now it was kept.
alter table email no force row level security;
update email set text_body = '', html_body = '' where state <> 'waiting';
alter table email force row level security;
