-- What every service schema needs and none owns. Applied at each start: it must stay safe to repeat.
create schema if not exists marimo;
grant usage on schema marimo to public;

create table if not exists marimo.schema_migration (
  schema_name text not null,
  folder      text not null,
  number      int not null,
  file        text not null,
  checksum    text not null,
  applied_at  timestamptz not null default now(),
  primary key (schema_name, folder, number)
);
comment on table marimo.schema_migration is 'global: belongs to the installation, not to a tenant';

-- Makes a table show each transaction the rows of its tenant only. FORCE binds the table's owner too.
create or replace function marimo.protect_tenant_table(name text) returns void
language plpgsql as $$
begin
  execute format('alter table %s enable row level security, force row level security', name::regclass);
  execute format(
    'create policy tenant_isolation on %s
       using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)
       with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
    name::regclass);
end $$;

-- Lets the relay of this schema work on a messaging table for all tenants at once.
create or replace function marimo.admit_relay(name text, privileges text) returns void
language plpgsql as $$
declare
  relay text := current_schema() || '_relay';
begin
  execute format('grant %s on %s to %I', privileges, name::regclass, relay);
  execute format('create policy relay on %s to %I using (true) with check (true)', name::regclass, relay);
end $$;

-- Both are "trusted": whoever may create things in the database may have them.
create extension if not exists pg_trgm schema marimo;
create extension if not exists btree_gin schema marimo;

-- One writing for what people search: small letters, е for ё, and nothing but letters and digits.
create or replace function marimo.folded(given text) returns text
language sql immutable parallel safe
return regexp_replace(translate(lower(given), 'ё', 'е'), '[^[:alnum:]]+', ' ', 'g');

-- The words of a folded text in their basic forms, Russian and English, and as they are written.
create or replace function marimo.words_of(folded text) returns tsvector
language sql immutable parallel safe
return to_tsvector('pg_catalog.russian'::regconfig, folded) || to_tsvector('pg_catalog.simple'::regconfig, folded);

-- All words of a question, each in any of its forms or as the beginning of a word; null where there is none.
create or replace function marimo.query_of(question text) returns tsquery
language plpgsql immutable parallel safe as $$
declare
  word text;
  asked tsquery;
begin
  foreach word in array string_to_array(trim(marimo.folded(question)), ' ') loop
    asked := coalesce(asked && one.query, one.query)
      from (select plainto_tsquery('pg_catalog.russian', word) || to_tsquery('pg_catalog.simple', word || ':*')) as one (query);
  end loop;
  return asked;
end $$;

-- Gives a table an index of the words in some columns, and `<table>_found(question, most)`, which looks in it for the
-- tenant of the transaction. Row-level security keeps the operators of text search away from an index, because they are not
-- leakproof; so the function runs as the owner of the table, whom a policy of its own lets read, and names the tenant itself.
create or replace function marimo.make_searchable(name text, id text, columns text[]) returns void
language plpgsql as $$
declare
  joined text := (select string_agg(format('coalesce(%I, '''')', given), ' || '' '' || ') from unnest(columns) as given);
  schema text := current_schema();
begin
  execute format('alter table %I add column search_text text generated always as (marimo.folded(%s)) stored', name, joined);
  execute format('create index %I on %I using gin (tenant_id, marimo.words_of(search_text))', name || '_words', name);
  execute format('create index %I on %I using gin (tenant_id, search_text marimo.gin_trgm_ops)', name || '_letters', name);
  execute format('create policy search on %I for select to %I using (true)', name, schema || '_owner');
  execute format($body$
    create function %1$I(question text, most int) returns setof uuid
    language plpgsql stable security definer
    set search_path = %2$I, marimo, pg_temp
    set pg_trgm.word_similarity_threshold = 0.4 as $function$
    declare
      tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
    begin
      return query select %3$I from %4$I
        where tenant_id = tenant and marimo.words_of(search_text) @@ marimo.query_of(question) limit most;
      if not found then -- perhaps it was mistyped
        return query select %3$I from %4$I
          where tenant_id = tenant and marimo.folded(question) ~ '[^ ]'
            and search_text operator(marimo.%%>) all (string_to_array(trim(marimo.folded(question)), ' ')) limit most;
      end if;
    end $function$ $body$, name || '_found', schema, id, name);
end $$;

-- Of a document that is posted only its reversal is noted; of one that is reversed or cancelled nothing changes, nor of their
-- lines; and none is deleted. Rules of the service say so too; this stops everyone who comes with SQL.
create or replace function marimo.protect_document(name text, id text, lines text[]) returns void
language plpgsql as $$
declare
  line_table text;
begin
  execute format('create trigger posted_is_final after update or delete on %I
                  for each row execute function marimo.refuse_change_of_settled()', name);
  execute format('create trigger posted_is_kept before truncate on %I execute function marimo.refuse_change_of_settled()', name);
  foreach line_table in array lines loop
    execute format('create trigger posted_is_final_inserted after insert on %I referencing new table as touched
                    for each statement execute function marimo.refuse_lines_of_settled(%L, %L)', line_table, name, id);
    execute format('create trigger posted_is_final_updated after update on %I referencing old table as touched
                    for each statement execute function marimo.refuse_lines_of_settled(%L, %L)', line_table, name, id);
    execute format('create trigger posted_is_final_deleted after delete on %I referencing old table as touched
                    for each statement execute function marimo.refuse_lines_of_settled(%L, %L)', line_table, name, id);
    execute format('create trigger posted_is_kept before truncate on %I execute function marimo.refuse_change_of_settled()', line_table);
  end loop;
end $$;

create or replace function marimo.refuse_change_of_settled() returns trigger language plpgsql as $$
declare
  noted constant text[] := '{state,reversed_by_id,version,changed_at,changed_by}';
begin
  if tg_op = 'UPDATE' then
    if old.state = 'draft' then return null; end if;
    if old.state = 'posted' and new.state = 'reversed' and to_jsonb(old) - noted = to_jsonb(new) - noted then return null; end if;
  end if;
  raise exception 'Documents are never deleted, and those that are posted never changed; reverse them'
    using errcode = 'restrict_violation', constraint = 'posted_is_final';
end $$;

create or replace function marimo.refuse_lines_of_settled() returns trigger language plpgsql as $$
declare
  is_settled boolean;
begin
  execute format('select exists (select from touched join %1$I as document using (tenant_id, %2$I) where document.state <> ''draft'')',
                 tg_argv[0], tg_argv[1]) into is_settled;
  if is_settled then
    raise exception 'The lines of documents that are posted are never changed; reverse the document'
      using errcode = 'restrict_violation', constraint = 'posted_is_final';
  end if;
  return null;
end $$;
