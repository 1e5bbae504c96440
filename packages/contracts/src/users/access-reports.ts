import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { personal } from '../personal.ts';
import { Absent } from '../platform/refusals.ts';
import { lineOfText } from '../texts.ts';
import { readAccessReports } from './permissions.ts';
import { PermissionUnknown, TextOnWire } from './role-refusals.ts';

/** Who has roles: a member under the person's id, or a service account. */
export const RoleHolder = z.strictObject({
  id: Id,
  kind: z.enum(['member', 'service-account']),
  name: personal(z.string()),
});
export type RoleHolder = z.infer<typeof RoleHolder>;

const ConflictingDutiesOnWire = z.strictObject({
  id: z.string(),
  title: TextOnWire,
  why: TextOnWire,
  left: z.array(z.string()),
  right: z.array(z.string()),
  source: z.string(),
});

export const listConflictingDuties = endpoint({
  method: 'GET',
  path: '/api/v1/users/conflicting-duties',
  summary: 'Lists the pairs of duties that one person should not hold, with the reasons.',
  access: 'signed-in',
  replies: { 200: z.strictObject({ items: z.array(ConflictingDutiesOnWire) }) },
});

export const HeldConflict = z.strictObject({
  /** The id of the pair. */
  pair: z.string(),
  title: TextOnWire,
  leftThrough: z.array(RoleName),
  rightThrough: z.array(RoleName),
  /** Built-in roles of theirs that hold both by themselves. */
  within: z.array(RoleName),
  /** Whether it would be granted today: inside one built-in role, where the organisation is not strict. */
  tolerated: z.boolean(),
});
export type HeldConflict = z.infer<typeof HeldConflict>;

const path = '/api/v1/users/access-reports';
const at = Instant.optional(); // now unless told

export const reportConflicts = endpoint({
  method: 'GET',
  path: `${path}/conflicts`,
  summary: 'Lists the holders of conflicting duties, and the roles that grant them.',
  access: readAccessReports,
  query: PageQuery,
  replies: { 200: pageOf(z.strictObject({ holder: RoleHolder, conflicts: z.array(HeldConflict) })) },
  deadlineMs: 60_000,
});

export const reportWhoCan = endpoint({
  method: 'GET',
  path: `${path}/who-can`,
  summary: 'Lists who had a permission at a given time, and through which roles.',
  access: readAccessReports,
  query: PageQuery.extend({ permission: lineOfText(100), at }),
  replies: { 200: pageOf(z.strictObject({ holder: RoleHolder, through: z.array(RoleName) })) },
  refusals: [PermissionUnknown],
});

export const reportAccessOf = endpoint({
  method: 'GET',
  path: `${path}/of/{holderId}`,
  summary: 'Returns what a member or service account could do at a given time, and through which roles.',
  access: readAccessReports,
  params: z.strictObject({ holderId: Id }),
  query: z.strictObject({ at }),
  replies: {
    200: z.strictObject({
      holder: RoleHolder,
      at: Instant,
      /** Whether they were an active member, or an enabled account; else they could do nothing. */
      active: z.boolean(),
      /** In force then; what the own ones granted then. */
      roles: z.array(z.strictObject({ role: RoleName, builtIn: z.boolean(), grants: z.array(z.string()) })),
      permissions: z.array(
        z.strictObject({ name: z.string(), text: TextOnWire, through: z.array(RoleName) }),
      ),
    }),
  },
  refusals: [Absent],
});
