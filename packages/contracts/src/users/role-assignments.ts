import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { Absent } from '../platform/refusals.ts';
import { LastAdministrator } from './organisations.ts';
import { assignRoles, readRoles } from './permissions.ts';
import {
  GrantsBeyondOwn,
  HolderNotActive,
  RoleAlreadyAssigned,
  RoleAssignmentConflict,
  RoleAssignmentOver,
  RoleUnknown,
  SeparationOfDutiesViolated,
  TooManyRights,
  ValidityOver,
} from './role-refusals.ts';

/** To the second, as tokens end: so none outlives the role it carries. */
export const RoleMoment = Instant.refine(
  (moment) => moment.getTime() % 1_000 === 0,
  'must be a time to the second',
);

export const NewRoleAssignment = z
  .strictObject({
    assignmentId: Id,
    /** One of the two. */
    memberId: Id.optional(),
    serviceAccountId: Id.optional(),
    role: RoleName,
    /** At once unless told. What lies in the past gives nothing for the past. */
    validFrom: RoleMoment.optional(),
    /** The first moment without the role; without it, until it is revoked. */
    validUntil: RoleMoment.optional(),
  })
  .refine(({ memberId, serviceAccountId }) => (memberId === undefined) !== (serviceAccountId === undefined), {
    path: ['memberId'],
    message: 'must have either memberId or serviceAccountId',
  })
  .refine(
    ({ validFrom, validUntil }) =>
      validFrom === undefined || validUntil === undefined || validFrom < validUntil,
    { path: ['validUntil'], message: 'must be after validFrom' },
  );
export type NewRoleAssignment = z.output<typeof NewRoleAssignment>;

export const RoleAssignmentState = z.enum(['planned', 'in-force', 'over', 'revoked']);
export type RoleAssignmentState = z.infer<typeof RoleAssignmentState>;

export const RoleAssignment = z.strictObject({
  assignmentId: Id,
  memberId: Id.nullable(),
  serviceAccountId: Id.nullable(),
  role: RoleName,
  validFrom: Instant,
  validUntil: Instant.nullable(),
  grantedAt: Instant,
  /** Null for the first administrator, whom nobody made one. */
  grantedBy: Id.nullable(),
  revokedAt: Instant.nullable(),
  revokedBy: Id.nullable(),
  state: RoleAssignmentState,
});
export type RoleAssignment = z.infer<typeof RoleAssignment>;

const path = '/api/v1/users/role-assignments';

export const assign = endpoint({
  method: 'POST',
  path,
  summary:
    'Assigns a role to a member or service account, optionally for a limited time. Returns 200 if an identical assignment exists.',
  access: assignRoles,
  stepUp: true,
  body: NewRoleAssignment,
  replies: { 201: RoleAssignment, 200: RoleAssignment },
  refusals: [
    Absent,
    RoleUnknown,
    RoleAssignmentConflict,
    RoleAlreadyAssigned,
    ValidityOver,
    HolderNotActive,
    GrantsBeyondOwn,
    SeparationOfDutiesViolated,
    TooManyRights,
  ],
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: 'Lists role assignments, newest first, including expired and revoked ones.',
  access: readRoles,
  query: PageQuery.extend({
    memberId: Id.optional(),
    serviceAccountId: Id.optional(),
    role: RoleName.optional(),
    state: RoleAssignmentState.optional(),
  }),
  replies: { 200: pageOf(RoleAssignment) },
});

export const revoke = endpoint({
  method: 'POST',
  path: `${path}/{assignmentId}/revoke`,
  summary: 'Revokes a role assignment at once, or shortens it. Repeating the request has no effect.',
  access: assignRoles,
  params: z.strictObject({ assignmentId: Id }),
  /** With `validUntil` the assignment goes on until then, which is earlier than it would have. */
  body: z.strictObject({ validUntil: RoleMoment.optional() }),
  replies: { 200: RoleAssignment },
  refusals: [Absent, RoleAssignmentOver, ValidityOver, GrantsBeyondOwn, LastAdministrator],
});

const Assigned = z.strictObject({
  assignmentId: Id,
  memberId: Id.nullable(),
  serviceAccountId: Id.nullable(),
  role: RoleName,
  validFrom: Instant,
  validUntil: Instant.nullable(),
});

/** Subject: the assignment. */
export const assigned = event('users.role-assigned.v1', Assigned);
/** Taken back before its time. */
export const revoked = event('users.role-revoked.v1', Assigned);
/** It will end at `validUntil`, earlier than it would have. */
export const shortened = event('users.role-assignment-shortened.v1', Assigned);
