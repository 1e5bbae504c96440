-- People look at their living sessions, and ending them all is one statement.
create index session_living on session (tenant_id, person_id, last_used_at) where ended_at is null;
