import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Absent, Stale } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { LimitReached, mostAtATime } from './limits.ts';
import { changeRoles, readRoles } from './permissions.ts';
import {
  GrantsBeyondOwn,
  PermissionUnknown,
  RoleInUse,
  RoleIsBuiltIn,
  RoleNameTaken,
  SeparationOfDutiesViolated,
  TextOnWire,
  TooManyRights,
} from './role-refusals.ts';

export * from './role-refusals.ts';

/** What one access token carries; so what one holder can have at a time. */
export const rightsLimits = { roles: 50, grants: 200 } as const;

const PermissionGroup = z.strictObject({
  service: z.string(),
  permissions: z.array(z.strictObject({ name: z.string(), text: TextOnWire })),
});

export const listPermissions = endpoint({
  method: 'GET',
  path: '/api/v1/users/permissions',
  summary: 'Lists the permissions of all services, which roles are made of.',
  access: 'signed-in',
  cache: { freshMs: 60_000, staleIfErrorMs: 3_600_000 }, // changes with a release only
  replies: { 200: z.strictObject({ items: z.array(PermissionGroup) }) },
});

/** A permission, or all of a service or of a resource: `accounting.*`, `accounting.account.*`. Never everything. */
const Grant = z
  .string()
  .max(100)
  .regex(
    /^[a-z][a-z0-9-]*\.(\*|[a-z][a-z0-9-]*\.(\*|[a-z][a-z0-9-]*))$/,
    'a permission, or a service or a resource with ".*"',
  );

const Grants = z.array(Grant).min(1).max(rightsLimits.grants);

export const Role = z.strictObject({
  name: RoleName,
  /** A role of the organisation's own has one title, which stands for both. */
  title: TextOnWire,
  builtIn: z.boolean(),
  /** In order; `*` is the administrator's: everything. */
  grants: z.array(z.string()),
  /** Who has it now or will have it: members and service accounts. */
  holders: z.int(),
});
export type Role = z.infer<typeof Role>;

/** The name is the role for ever, so the same request again finds the same role. */
export const NewRole = z.strictObject({ name: RoleName, title: Name, grants: Grants });
export type NewRole = z.output<typeof NewRole>;

const path = '/api/v1/users/roles';
const RoleParams = z.strictObject({ name: RoleName });

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'Lists the built-in and custom roles by name.',
  access: readRoles,
  query: PageQuery,
  replies: { 200: pageOf(Role) },
});

export const get = endpoint({
  method: 'GET',
  path: `${path}/{name}`,
  summary:
    'Returns a role. Send the ETag as If-Match when updating it; it also changes when the role is assigned or revoked.',
  access: readRoles,
  params: RoleParams,
  replies: { 200: Role },
  refusals: [Absent],
});

export const define = endpoint({
  method: 'POST',
  path,
  summary: `Creates a role of the organisation; at most ${mostAtATime.ownRoles}. Returns 200 if an identical one exists.`,
  access: changeRoles,
  body: NewRole,
  replies: { 201: Role, 200: Role },
  refusals: [RoleNameTaken, LimitReached, PermissionUnknown, GrantsBeyondOwn, SeparationOfDutiesViolated],
});

/** Takes effect for all holders within seconds: as strong as giving a role, so it needs a recent proof too. */
export const change = endpoint({
  method: 'PATCH',
  path: `${path}/{name}`,
  summary: 'Updates the title or the grants of a role, unless a holder would then hold conflicting duties.',
  access: changeRoles,
  stepUp: true,
  params: RoleParams,
  body: z.strictObject({ title: Name.optional(), grants: Grants.optional() }),
  replies: { 200: Role },
  refusals: [
    Absent,
    Stale,
    RoleIsBuiltIn,
    PermissionUnknown,
    GrantsBeyondOwn,
    SeparationOfDutiesViolated,
    TooManyRights,
  ],
});

export const remove = endpoint({
  method: 'DELETE',
  path: `${path}/{name}`,
  summary: 'Deletes a role without holders; its history is kept. Repeating the request has no effect.',
  access: changeRoles,
  params: RoleParams,
  replies: { 204: z.null() },
  refusals: [Absent, Stale, RoleIsBuiltIn, RoleInUse],
});

const OwnRole = z.strictObject({ role: RoleName, title: z.string(), grants: z.array(z.string()) });

/** Subject: the role's name. */
export const defined = event('users.role-defined.v1', OwnRole);
/** `holders`: those whose rights changed with it. */
export const changed = event('users.role-changed.v1', OwnRole.extend({ holders: z.int() }));
export const removed = event('users.role-deleted.v1', OwnRole);
