import { type ConflictingDuties, grantsCover, type Permission } from '@marimo/contracts';
import { conflictingDuties } from '@marimo/contracts/all';
import type { roles } from '@marimo/contracts/users';

/** A role as somebody holds it. */
export interface HeldRole {
  readonly role: string;
  readonly builtIn: boolean;
  readonly grants: readonly string[];
}

/** A role with the time in which it is held; `until` is the first moment without it. */
export interface RoleSpan extends HeldRole {
  readonly from: Date;
  readonly until: Date | null;
}

/** A pair of duties in one hand. */
export interface PairHeld {
  readonly pair: ConflictingDuties;
  /** The permissions of either side that are held. */
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly leftThrough: readonly string[];
  readonly rightThrough: readonly string[];
  /** Built-in roles that hold both sides by themselves. */
  readonly within: readonly string[];
  readonly tolerated: boolean;
}

/**
 * Every pair that these roles together hold.
 *
 * Tolerated is a pair that one built-in role has by itself, because a small company has nobody to give the other half
 * to; a strict organisation tolerates only the administrator's, because there must be one.
 *
 * Source: docs/domain/separation-of-duties.md#the-rule
 */
export function pairsHeld(roles: readonly HeldRole[], strict: boolean): PairHeld[] {
  return conflictingDuties.flatMap((pair) => {
    const left = sideHeld(roles, pair.left);
    const right = sideHeld(roles, pair.right);
    if (left.held.length === 0 || right.held.length === 0) return [];
    const within = roles
      .filter(({ role, builtIn }) => builtIn && left.through.has(role) && right.through.has(role))
      .map(({ role }) => role);
    return [
      {
        pair,
        left: left.held,
        right: right.held,
        leftThrough: [...left.through].sort(),
        rightThrough: [...right.through].sort(),
        within: [...new Set(within)].sort(),
        tolerated: within.includes('admin') || (within.length > 0 && !strict),
      },
    ];
  });
}

function sideHeld(roles: readonly HeldRole[], side: readonly Permission[]) {
  const held = side
    .map(({ name }) => name)
    .filter((name) => roles.some(({ grants }) => grantsCover(grants, name)));
  const through = new Set(
    roles.filter(({ grants }) => held.some((name) => grantsCover(grants, name))).map(({ role }) => role),
  );
  return { held, through };
}

/** What is about to be given: these roles, with what of them is new to their holder. */
export interface GivenRoles {
  readonly roles: readonly string[];
  readonly grants: readonly string[];
}

/** Pairs that are not tolerated and that come about by what is given; what was wrong before stands in the report. */
export function conflictsBy(given: GivenRoles, roles: readonly HeldRole[], strict: boolean): PairHeld[] {
  return pairsHeld(roles, strict).filter(({ tolerated, left, right, leftThrough, rightThrough }) => {
    const byRole = [...leftThrough, ...rightThrough].some((role) => given.roles.includes(role));
    const byGrant = [...left, ...right].some((name) => grantsCover(given.grants, name));
    return !tolerated && byRole && byGrant;
  });
}

/** The moments from `from` on, and before `until`, at which the roles in force become others. */
export function momentsOfChange(spans: readonly RoleSpan[], from: Date, until: Date | null): Date[] {
  const start = from.getTime();
  const end = until?.getTime() ?? Number.POSITIVE_INFINITY;
  const boundaries = spans
    .flatMap((span) => [span.from.getTime(), span.until?.getTime() ?? start])
    .filter((moment) => moment > start && moment < end);
  if (start >= end) return [];
  return [...new Set([start, ...boundaries])].sort((a, b) => a - b).map((moment) => new Date(moment));
}

export function rolesAt(spans: readonly RoleSpan[], moment: Date): RoleSpan[] {
  return spans.filter(({ from, until }) => from <= moment && (until === null || until > moment));
}

/** As a refusal tells it. */
export function toDutyConflict({
  pair,
  left,
  right,
  leftThrough,
  rightThrough,
}: PairHeld): roles.DutyConflict {
  return {
    pair: pair.id,
    heading: pair.title,
    why: pair.why,
    left: [...left],
    leftThrough: [...leftThrough],
    right: [...right],
    rightThrough: [...rightThrough],
  };
}
