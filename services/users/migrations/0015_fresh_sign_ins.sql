-- Not every provider says when it asked who somebody is. Where it does not, that it was told to ask anew is all we know.
alter table federated_sign_in add column freshly boolean not null default false;
