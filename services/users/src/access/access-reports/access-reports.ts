import { builtInGrants, builtInRoles, grantsCover } from '@marimo/contracts';
import { conflictingDuties, permissions } from '@marimo/contracts/all';
import type { accessReports } from '@marimo/contracts/users';
import { type HeldRole, pairsHeld } from '../conflicting-duties/index.ts';

/** With the grants of the own ones; a name that is neither built in nor among them grants nothing. */
export function heldRoles(names: readonly string[], own: ReadonlyMap<string, readonly string[]>): HeldRole[] {
  return names.map((role) => ({
    role,
    builtIn: Object.hasOwn(builtInRoles, role),
    grants: own.get(role) ?? builtInGrants(role),
  }));
}

/** Tolerated ones too: they are no less conflicts. */
export function conflictsHeld(roles: readonly HeldRole[], strict: boolean): accessReports.HeldConflict[] {
  return pairsHeld(roles, strict).map(({ pair, leftThrough, rightThrough, within, tolerated }) => ({
    pair: pair.id,
    title: pair.title,
    leftThrough: [...leftThrough],
    rightThrough: [...rightThrough],
    within: [...within],
    tolerated,
  }));
}

/** Every permission that these roles grant, with those that do. */
export function permissionsOf(roles: readonly HeldRole[]) {
  return permissions
    .map(({ name, text }) => ({
      name,
      text,
      through: roles.filter(({ grants }) => grantsCover(grants, name)).map(({ role }) => role),
    }))
    .filter(({ through }) => through.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function builtInRolesGranting(permission: string): string[] {
  return Object.keys(builtInRoles).filter((role) => grantsCover(builtInGrants(role), permission));
}

export function isKnown(permission: string): boolean {
  return permissions.some(({ name }) => name === permission);
}

export function toApiDuties() {
  return conflictingDuties.map((pair) => ({
    ...pair,
    left: pair.left.map(({ name }) => name),
    right: pair.right.map(({ name }) => name),
  }));
}
