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
    title: 'The role would give one person conflicting duties',
    detail: ({ conflicts }) =>
      `Assign one duty of each pair to another person: ${conflicts.map(({ heading }) => heading.en).join('; ')}.`,
  },
) {}

export class RoleNameTaken extends refusal(z.object({ role: z.string() }), {
  code: 'users.role-name-taken',
  kind: 'conflict',
  title: 'A role with this name exists',
  detail: ({ role }) => `The role ${role} exists with another title or other grants. Choose another name.`,
}) {}

export class RoleIsBuiltIn extends refusal(z.object({ role: z.string() }), {
  code: 'users.role-is-built-in',
  kind: 'refused',
  title: 'Built-in roles cannot be changed',
  detail: ({ role }) => `${role} is built in. Create your own role with the grants you need.`,
}) {}

export class RoleInUse extends refusal(z.object({ role: z.string(), holders: z.int() }), {
  code: 'users.role-in-use',
  kind: 'conflict',
  title: 'The role is assigned',
  detail: ({ role, holders }) => `${role} is assigned to ${holders}. Revoke the assignments first.`,
}) {}

export class RoleUnknown extends refusal(z.object({ role: z.string() }), {
  code: 'users.role-unknown',
  kind: 'refused',
  title: 'Role not found',
  detail: ({ role }) => `Create the role ${role} first, or choose another role.`,
}) {}

export class PermissionUnknown extends refusal(z.object({ grants: z.array(z.string()) }), {
  code: 'users.permission-unknown',
  kind: 'refused',
  title: 'Permission not found',
  detail: ({ grants }) => `Unknown: ${grants.join(', ')}. See GET /api/v1/users/permissions.`,
}) {}

/** Against handing oneself, or a friend, more than one has, and against taking it from who has more. */
export class GrantsBeyondOwn extends refusal(z.object({ grants: z.array(z.string()) }), {
  code: 'users.grants-beyond-own',
  kind: 'forbidden',
  title: 'You can only grant or revoke permissions that you hold',
  detail: ({ grants }) => `You do not hold ${grants.join(', ')}. Ask a person who does.`,
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
    title: 'Too many roles and grants for one holder',
    detail: ({ roles, grants, rolesLimit, grantsLimit }) =>
      `They would have ${roles} roles (at most ${rolesLimit}) with ${grants} grants of their own (at most ${grantsLimit}). Grant a whole resource with ".*" instead.`,
  },
) {}

export class HolderNotActive extends refusal(z.object({ holderId: Id }), {
  code: 'users.holder-not-active',
  kind: 'refused',
  title: 'A role can only be assigned to an active holder',
  detail: () => 'Reinstate or invite the member, or enable the service account first.',
}) {}

export class RoleAlreadyAssigned extends refusal(z.object({ role: z.string(), assignmentId: Id }), {
  code: 'users.role-already-assigned',
  kind: 'conflict',
  title: 'The holder has this role in an overlapping period',
  detail: ({ role, assignmentId }) =>
    `Assignment ${assignmentId} grants ${role} in an overlapping period. Revoke or shorten it first.`,
}) {}

export class RoleAssignmentConflict extends refusal(z.object({ assignmentId: Id }), {
  code: 'users.role-assignment-conflict',
  kind: 'conflict',
  title: 'This id was used for another assignment',
  detail: ({ assignmentId }) => `${assignmentId} exists with other content. Use a new id.`,
}) {}

export class ValidityOver extends refusal(z.object({ validUntil: z.iso.datetime() }), {
  code: 'users.validity-over',
  kind: 'refused',
  title: 'The end of validity is in the past or comes too late',
  detail: ({ validUntil }) => `${validUntil} is not possible. Choose a time in the future.`,
}) {}

export class RoleAssignmentOver extends refusal(z.object({ assignmentId: Id }), {
  code: 'users.role-assignment-over',
  kind: 'conflict',
  title: 'The assignment has ended',
  detail: () => 'It has expired; there is nothing to revoke.',
}) {}
