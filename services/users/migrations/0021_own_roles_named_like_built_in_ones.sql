-- Storekeeper, buyer, seller, cashier and foreman became built-in roles. An own role of such a name would give its holders
-- what the built-in one grants, so it goes on under another name with all that refers to it.
create temporary table renamed (tenant_id uuid, old text, new text) on commit drop;

alter table own_role no force row level security;
alter table own_role_grants no force row level security;
alter table role_assignment no force row level security;
alter table invitation no force row level security;
alter table sign_in_provider no force row level security;
alter table member no force row level security;
alter table service_account no force row level security;
alter table session no force row level security;

-- Deleted ones too: reports on a past day read what they granted then.
insert into renamed
select r.tenant_id, r.name,
       (select r.name || repeat('_own', times)
          from generate_series(1, 7) as times
         where not exists (select from own_role taken
                            where taken.tenant_id = r.tenant_id and taken.name = r.name || repeat('_own', times))
         order by times
         limit 1)
  from own_role r
 where r.name in ('storekeeper', 'buyer', 'seller', 'cashier', 'foreman');

insert into own_role (tenant_id, name, title, created_at, deleted_at, version)
select r.tenant_id, renamed.new, r.title, r.created_at, r.deleted_at, r.version + 1
  from own_role r join renamed on renamed.tenant_id = r.tenant_id and renamed.old = r.name;
update own_role_grants g set name = renamed.new
  from renamed where renamed.tenant_id = g.tenant_id and renamed.old = g.name;
delete from own_role r using renamed where renamed.tenant_id = r.tenant_id and renamed.old = r.name;

update role_assignment a set role = renamed.new
  from renamed where renamed.tenant_id = a.tenant_id and renamed.old = a.role;

-- Of several names in one list each is replaced.
update invitation i
   set roles = array(select coalesce(renamed.new, role)
                       from unnest(i.roles) with ordinality as given (role, place)
                       left join renamed on renamed.tenant_id = i.tenant_id and renamed.old = role
                      order by place)
 where exists (select from renamed where renamed.tenant_id = i.tenant_id and renamed.old = any(i.roles));

update sign_in_provider p
   set roles = (select coalesce(jsonb_object_agg(value, coalesce(renamed.new, role)), '{}')
                  from jsonb_each_text(p.roles) as mapped (value, role)
                  left join renamed on renamed.tenant_id = p.tenant_id and renamed.old = role),
       default_roles = array(select coalesce(renamed.new, role)
                               from unnest(p.default_roles) with ordinality as given (role, place)
                               left join renamed on renamed.tenant_id = p.tenant_id and renamed.old = role
                              order by place),
       version = p.version + 1
 where exists (select from renamed
                where renamed.tenant_id = p.tenant_id
                  and (renamed.old = any(p.default_roles)
                       or exists (select from jsonb_each_text(p.roles) as mapped where mapped.value = renamed.old)));

-- Access tokens carry names of roles: those that are out with an old name are void.
create temporary table holders on commit drop as
select distinct a.tenant_id, a.person_id, a.account_id
  from role_assignment a join renamed on renamed.tenant_id = a.tenant_id and renamed.new = a.role;
update member m set roles_version = m.roles_version + 1
  from holders h where h.tenant_id = m.tenant_id and h.person_id = m.person_id;
update service_account s set roles_version = s.roles_version + 1
  from holders h where h.tenant_id = s.tenant_id and h.account_id = s.account_id;
insert into revocation (session_id, revoked_at)
select s.session_id, now()
  from session s join holders h on h.tenant_id = s.tenant_id and h.person_id = s.person_id
 where s.ended_at is null and s.expires_at > now()
    on conflict (session_id) do update
       set revoked_at = greatest(revocation.revoked_at, excluded.revoked_at), transaction_id = excluded.transaction_id;

alter table own_role force row level security;
alter table own_role_grants force row level security;
alter table role_assignment force row level security;
alter table invitation force row level security;
alter table sign_in_provider force row level security;
alter table member force row level security;
alter table service_account force row level security;
alter table session force row level security;
drop table holders, renamed;
