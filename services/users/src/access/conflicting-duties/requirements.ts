import { builtInGrants, builtInRoles } from '@marimo/contracts';
import { permissions, roles } from '@marimo/contracts/users';
import type { Transaction } from '@marimo/postgres';
import type { Caller } from '@marimo/service-kit';
import { holds } from '../../organisations/organisations/index.ts';
import {
  conflictsBy,
  type GivenRoles,
  type HeldRole,
  momentsOfChange,
  type RoleSpan,
  rolesAt,
  toDutyConflict,
} from './conflicting-duties.ts';
import {
  type HeldSpan,
  type HolderRef,
  holderIdOf,
  isStrict,
  listOwnRoleGrants,
  listSpans,
  lockHolder,
  lockOwnRoles,
} from './store.ts';

export interface Giving {
  /** Undefined for who is no member yet: then the roles are checked among themselves. */
  readonly holder?: HolderRef;
  readonly roles: readonly string[];
  /** At once unless told. */
  readonly validFrom?: Date | undefined;
  /** The first moment without them; null or left out: for good. */
  readonly validUntil?: Date | null | undefined;
  readonly now: Date;
}

/**
 * Before roles are given, in the transaction that gives them, by whatever way: demands that they exist, that at no
 * moment of their validity their holder would hold conflicting duties, and that the token could carry it all. Holds the
 * roles and the holder, so of two that give at once the second sees what the first gave.
 *
 * Errors: RoleUnknown, SeparationOfDutiesViolated, TooManyRights.
 */
export async function requireNoConflict(tx: Transaction, giving: Giving): Promise<void> {
  const { holder, roles, validFrom, validUntil = null, now } = giving;
  await requireRoles(tx, roles);
  if (holder !== undefined) await lockHolder(tx, holder);
  const held = holder === undefined ? [] : await listSpans(tx, holder, now);
  const from = validFrom !== undefined && validFrom > now ? validFrom : now;
  const wanted = roles.map((role): HeldSpan => ({ role, from, until: validUntil }));
  const spans = await withGrants(tx, [...held, ...wanted]);
  const grants = spans.filter(({ role }) => roles.includes(role)).flatMap((span) => span.grants);
  requireSound(spans, {
    given: { roles, grants },
    holderId: holder === undefined ? null : holderIdOf(holder),
    from,
    until: validUntil,
    strict: await isStrict(tx),
  });
}

/** Demands that each is built in or the organisation's own; the own ones stay as they are until the transaction ends. */
async function requireRoles(tx: Transaction, roleNames: readonly string[]): Promise<void> {
  const own = roleNames.filter((role) => !Object.hasOwn(builtInRoles, role));
  const found = own.length === 0 ? [] : await lockOwnRoles(tx, own);
  const unknown = own.find((role) => !found.includes(role));
  if (unknown !== undefined) throw new roles.RoleUnknown({ role: unknown });
}

/**
 * Nobody gives roles that grant more than they hold themselves, nor roles that are not there yet, which could be made wide
 * later.
 *
 * Errors: RoleUnknown, GrantsBeyondOwn with what the caller lacks.
 */
export async function requireMayGive(
  tx: Transaction,
  caller: Caller,
  roles: readonly string[],
): Promise<void> {
  await requireRoles(tx, roles);
  const own = await listOwnRoleGrants(tx, roles);
  requireHeld(caller, [...roles.flatMap(builtInGrants), ...own.flatMap(({ grants }) => grants)]);
}

/** Of those who decide about people. */
const rightsOverPeople = Object.values(permissions).map(({ name }) => name);

/**
 * Before what somebody holds is taken from them, or they are shut out: whoever looks after people may do so to everybody
 * but those who may do more to people than themselves. So the rights to decide about people are out of reach from below.
 *
 * Errors: GrantsBeyondOwn with what the caller lacks.
 */
export async function requireMayTake(
  tx: Transaction,
  caller: Caller,
  roles: readonly string[],
): Promise<void> {
  const own = await listOwnRoleGrants(tx, roles);
  const held = { roles, grants: own.flatMap(({ grants }) => grants) };
  requireHeld(
    caller,
    rightsOverPeople.filter((permission) => holds(held, permission)),
  );
}

export function requireHeld(caller: Caller, grants: readonly string[]): void {
  const lacking = grants.filter((grant) => !caller.may(grant));
  if (lacking.length > 0) throw new roles.GrantsBeyondOwn({ grants: [...new Set(lacking)].sort() });
}

export interface Soundness {
  readonly given: GivenRoles;
  readonly holderId: string | null;
  readonly from: Date;
  readonly until: Date | null;
  readonly strict: boolean;
}

/** The rule over time: looks at each moment at which the roles in force become others. */
export function requireSound(spans: readonly RoleSpan[], soundness: Soundness): void {
  const { given, holderId, from, until, strict } = soundness;
  for (const moment of momentsOfChange(spans, from, until)) {
    const roleNames = rolesAt(spans, moment);
    const conflicts = conflictsBy(given, roleNames, strict);
    if (conflicts.length > 0) {
      const at = holderId === null ? null : moment.toISOString();
      throw new roles.SeparationOfDutiesViolated({ holderId, at, conflicts: conflicts.map(toDutyConflict) });
    }
    requireRoomInToken(holderId, roleNames);
  }
}

function requireRoomInToken(holderId: string | null, held: readonly HeldRole[]): void {
  const roleNames = new Set(held.map(({ role }) => role)).size;
  const grants = new Set(held.flatMap((each) => (each.builtIn ? [] : each.grants))).size;
  if (roleNames <= roles.rightsLimits.roles && grants <= roles.rightsLimits.grants) return;
  const { roles: rolesLimit, grants: grantsLimit } = roles.rightsLimits;
  throw new roles.TooManyRights({ holderId, roles: roleNames, grants, rolesLimit, grantsLimit });
}

/** With what each role grants now. */
export async function withGrants(tx: Transaction, spans: readonly HeldSpan[]): Promise<RoleSpan[]> {
  const names = [...new Set(spans.map(({ role }) => role))];
  const own = new Map((await listOwnRoleGrants(tx, names)).map(({ name, grants }) => [name, grants]));
  return spans.map((span) => ({
    ...span,
    builtIn: Object.hasOwn(builtInRoles, span.role),
    grants: own.get(span.role) ?? builtInGrants(span.role),
  }));
}
