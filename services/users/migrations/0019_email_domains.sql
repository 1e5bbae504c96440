-- The key of an e-mail holds its domain as ASCII now, so that an international domain in either writing is one mailbox.
-- PostgreSQL has no punycode (RFC 3492); NFKC comes first, as in UTS 46, the keys are in lower case already.
create function pg_temp.ascii_label(label text) returns text language plpgsql as $$
declare
  points int[] := array(select ascii(c) from regexp_split_to_table(normalize(label, nfkc), '') with ordinality s (c, i) order by i);
  digits constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
  encoded text := (select coalesce(string_agg(chr(p), '' order by i), '') from unnest(points) with ordinality u (p, i) where p < 128);
  basic int := length(encoded);
  handled int := basic;
  n int := 128;
  delta int := 0;
  bias int := 72;
  lowest int; point int; q int; k int; t int;
begin
  if basic = cardinality(points) then return encoded; end if;
  if basic > 0 then encoded := encoded || '-'; end if;
  while handled < cardinality(points) loop
    lowest := (select min(p) from unnest(points) p where p >= n);
    delta := delta + (lowest - n) * (handled + 1);
    n := lowest;
    foreach point in array points loop
      if point < n then delta := delta + 1; end if;
      if point = n then
        q := delta;
        k := 36;
        loop
          t := least(26, greatest(1, k - bias));
          exit when q < t;
          encoded := encoded || substr(digits, t + (q - t) % (36 - t) + 1, 1);
          q := (q - t) / (36 - t);
          k := k + 36;
        end loop;
        encoded := encoded || substr(digits, q + 1, 1);
        delta := case when handled = basic then delta / 700 else delta / 2 end;
        handled := handled + 1;
        delta := delta + delta / handled;
        k := 0;
        while delta > 455 loop
          delta := delta / 35;
          k := k + 36;
        end loop;
        bias := k + 36 * delta / (delta + 38);
        delta := 0;
      end if;
    end loop;
    delta := delta + 1;
    n := n + 1;
  end loop;
  return 'xn--' || encoded;
end $$;

create function pg_temp.ascii_key(key text) returns text language sql as $$
  select substring(key from '^.*@') || string_agg(pg_temp.ascii_label(label), '.' order by i)
    from regexp_split_to_table(substring(key from '[^@]*$'), '\.') with ordinality s (label, i)
$$;

-- Where both writings were registered each is a person of their own, and nobody can say here whose the mailbox is: the
-- one with the ASCII writing, or who came first, has the key, and the other one's stays as it was.
do $$
declare
  affected record;
begin
  for affected in
    select person_id, pg_temp.ascii_key(email_key) as key from person where email_key ~ '@.*[^\x01-\x7f]' order by person_id
  loop
    update person set email_key = affected.key
     where person_id = affected.person_id and not exists (select from person where email_key = affected.key);
  end loop;
end $$;

update mail_link set email_key = pg_temp.ascii_key(email_key) where email_key ~ '@.*[^\x01-\x7f]';

alter table invitation no force row level security;
do $$
declare
  affected record;
begin
  for affected in
    select tenant_id, invitation_id, state, pg_temp.ascii_key(email_key) as key
      from invitation where email_key ~ '@.*[^\x01-\x7f]' order by invitation_id
  loop
    update invitation set email_key = affected.key
     where tenant_id = affected.tenant_id and invitation_id = affected.invitation_id
       and (affected.state <> 'open' or not exists (
         select from invitation
          where tenant_id = affected.tenant_id and email_key = affected.key and state = 'open'));
  end loop;
end $$;
alter table invitation force row level security;
