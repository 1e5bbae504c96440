import type { DeclaredRefusal } from '@marimo/problems';
import type { RoleGrants } from './built-in-roles.ts';
import type { ConflictingDuties } from './duties.ts';
import type { AnyEndpoint } from './endpoint.ts';
import type { EventDefinition } from './event.ts';
import type { Permission } from './permission.ts';
import type { AnyRecord } from './records/record.ts';

/** All that a service declares. Documents, checks and the gateway are made from it, so nothing is listed twice. */
export interface Contract {
  readonly endpoints: readonly AnyEndpoint[];
  readonly events: readonly EventDefinition[];
  readonly permissions: readonly Permission[];
  readonly refusals: readonly DeclaredRefusal[];
  readonly duties: readonly ConflictingDuties[];
  readonly records: readonly AnyRecord[];
}

/** What the index of a service's contract hands on: one module for each slice, and what concerns all of them. */
export interface ContractModules {
  readonly permissions?: Readonly<Record<string, Permission>>;
  readonly duties?: readonly ConflictingDuties[];
  readonly grants?: RoleGrants;
  readonly [slice: string]: unknown;
}

/** Gathers a contract from its modules: whatever they export is taken for what it is. */
export function contract(modules: ContractModules): Contract {
  const declared = new Set(Object.values(modules).flatMap((module) => Object.values(module as object)));
  const records = [...declared].filter(isRecordDeclaration);
  return {
    endpoints: [...declared].filter(isEndpoint),
    events: [...declared].filter(isEvent),
    permissions: [
      ...Object.values(modules.permissions ?? {}),
      ...records.flatMap(({ permissions }) => Object.values(permissions) as Permission[]),
    ],
    refusals: [...declared].filter(isRefusal),
    duties: modules.duties ?? [],
    records,
  };
}

function isRecordDeclaration(value: unknown): value is AnyRecord {
  return isRecord(value) && value['isRecord'] === true;
}

function isEndpoint(value: unknown): value is AnyEndpoint {
  return isRecord(value) && 'method' in value && 'path' in value && 'replies' in value;
}

function isEvent(value: unknown): value is EventDefinition {
  return isRecord(value) && 'type' in value && 'data' in value && /\.v\d+$/.test(String(value['type']));
}

function isRefusal(value: unknown): value is DeclaredRefusal {
  return typeof value === 'function' && 'definition' in value && 'facts' in value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
