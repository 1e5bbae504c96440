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
