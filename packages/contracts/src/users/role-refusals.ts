import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { Id } from '../ids.ts';

/** A text in both languages, as it travels. */
export const TextOnWire = z.strictObject({ en: z.string(), ru: z.string() });

/** One pair of duties that came together in one hand. */
export const DutyConflict = z.object({
  /** Its id among the conflicting duties. */
  pair: z.string(),
  heading: TextOnWire,
  why: TextOnWire,
  /** The permissions of either duty that would be held, and the roles they come through. */
  left: z.array(z.string()),
  leftThrough: z.array(z.string()),
  right: z.array(z.string()),
  rightThrough: z.array(z.string()),
});
export type DutyConflict = z.infer<typeof DutyConflict>;

export class SeparationOfDutiesViolated extends refusal(
  z.object({
    /** Who would hold both; null where it is the role by itself. */
    holderId: Id.nullable(),
    /** The first moment at which they would; null where it is the role by itself. */
    at: z.iso.datetime().nullable(),
    conflicts: z.array(DutyConflict),
  }),
  {
    code: 'users.separation-of-duties-violated',
    kind: 'refused',
    title: 'One hand would hold duties that check each other',
    detail: ({ conflicts }) =>
      `Give one side of each pair to somebody else: ${conflicts.map(({ heading }) => heading.en).join('; ')}.`,
  },
) {}

export class RoleNameTaken extends refusal(z.object({ role: z.string() }), {
  code: 'users.role-name-taken',
  kind: 'conflict',
  title: 'Another role has this name',
  detail: ({ role }) => `There is a role ${role} with another title or other grants. Choose another name.`,
}) {}

export class RoleIsBuiltIn extends refusal(z.object({ role: z.string() }), {
  code: 'users.role-is-built-in',
  kind: 'refused',
  title: 'Built-in roles are the same everywhere',
  detail: ({ role }) =>
    `${role} cannot be changed. Define a role of your own with the grants it should have.`,
}) {}

export class RoleInUse extends refusal(z.object({ role: z.string(), holders: z.int() }), {
  code: 'users.role-in-use',
  kind: 'conflict',
  title: 'Somebody still holds the role',
  detail: ({ role, holders }) => `${role} is assigned to ${holders}. Revoke it from them first.`,
}) {}

export class RoleUnknown extends refusal(z.object({ role: z.string() }), {
  code: 'users.role-unknown',
  kind: 'refused',
  title: 'The organisation has no such role',
  detail: ({ role }) => `Define ${role} first, or choose another role.`,
}) {}

export class PermissionUnknown extends refusal(z.object({ grants: z.array(z.string()) }), {
  code: 'users.permission-unknown',
  kind: 'refused',
  title: 'There is no such permission',
  detail: ({ grants }) => `Nothing is called ${grants.join(', ')}; see GET /api/v1/users/permissions.`,
}) {}

/** Against handing oneself, or a friend, more than one has, and against taking it from who has more. */
export class GrantsBeyondOwn extends refusal(z.object({ grants: z.array(z.string()) }), {
  code: 'users.grants-beyond-own',
  kind: 'forbidden',
  title: 'Nobody gives or takes away what they do not have',
  detail: ({ grants }) => `You do not hold ${grants.join(', ')}. Ask somebody who does.`,
}) {}

/** An access token carries them with every request. */
export class TooManyRights extends refusal(
  z.object({
    holderId: Id.nullable(),
    roles: z.int(),
    grants: z.int(),
    rolesLimit: z.int(),
    grantsLimit: z.int(),
  }),
  {
    code: 'users.too-many-rights',
    kind: 'refused',
    title: 'One holder would have too many roles and grants at a time',
    detail: ({ roles, grants, rolesLimit, grantsLimit }) =>
      `They would have ${roles} roles (at most ${rolesLimit}) with ${grants} grants of their own (at most ${grantsLimit}). Grant a whole resource with ".*" instead.`,
  },
) {}

export class HolderNotActive extends refusal(z.object({ holderId: Id }), {
  code: 'users.holder-not-active',
  kind: 'refused',
  title: 'Only who is active can be given a role',
  detail: () => 'Reinstate the member, invite them anew, or enable the service account first.',
}) {}

export class RoleAlreadyAssigned extends refusal(z.object({ role: z.string(), assignmentId: Id }), {
  code: 'users.role-already-assigned',
  kind: 'conflict',
  title: 'They have this role in that time already',
  detail: ({ role, assignmentId }) =>
    `${assignmentId} gives them ${role} in an overlapping time. Revoke or shorten it first.`,
}) {}

export class RoleAssignmentConflict extends refusal(z.object({ assignmentId: Id }), {
  code: 'users.role-assignment-conflict',
  kind: 'conflict',
  title: 'This id was used for another assignment',
  detail: ({ assignmentId }) =>
    `${assignmentId} is there with other content. Give this one an id of its own.`,
}) {}

export class ValidityOver extends refusal(z.object({ validUntil: z.iso.datetime() }), {
  code: 'users.validity-over',
  kind: 'refused',
  title: 'This time has passed',
  detail: ({ validUntil }) => `${validUntil} is over or comes too late. Choose a moment from now on.`,
}) {}

export class RoleAssignmentOver extends refusal(z.object({ assignmentId: Id }), {
  code: 'users.role-assignment-over',
  kind: 'conflict',
  title: 'The assignment is over',
  detail: () => 'Its time had passed before; there is nothing to revoke.',
}) {}
