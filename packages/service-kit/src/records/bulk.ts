import { Forbidden, MalformedRequest, type Permission } from '@marimo/contracts';
import type { BulkResult, RecordDeclaration } from '@marimo/contracts/records';
import { Refusal, toProblem } from '@marimo/problems';
import type { Author, Restriction } from '@marimo/records';
import { z } from 'zod';
import { requireFound } from '../http/require-found.ts';
import { reply, type SignedInCall } from '../route.ts';
import type { AnyCommands, AnyRecords } from './commands.ts';

interface Bulk {
  readonly record: RecordDeclaration;
  readonly records: AnyRecords;
  readonly commands: AnyCommands;
  readonly restrict: ((call: SignedInCall) => Restriction) | undefined;
  readonly clock: () => Date;
}

interface BulkBody {
  readonly action: string;
  readonly items: readonly { readonly id: string; readonly version?: number }[];
  readonly change?: Readonly<Record<string, unknown>>;
  readonly with?: unknown;
}

/**
 * The same command on many records: each is locked in the order of ids, done or refused by itself, and all that is done
 * is committed together.
 */
export function bulkRoute({ record, records, commands, restrict, clock }: Bulk) {
  return (call: SignedInCall) => {
    const { action, items, change, with: told } = call.body as unknown as BulkBody;
    requirePermission(call, record, action);
    const body = bodyOf(record, action, told);
    return call.inTenant(async (tx) => {
      const author: Author = { userId: call.caller.userId, at: clock() };
      const results = new Map<string, BulkResult>();
      for (const { id, version } of items.toSorted(byId)) {
        const how = { ifVersion: version };
        try {
          const [before, after] = await tx.attempt(async () => {
            const found = await records.lock(tx, id, restrict?.(call));
            const present = requireFound(found, record.labels.one.en.toLowerCase());
            if (action === 'change')
              return [present, await commands.change(tx, present, change ?? {}, author, how)];
            if (action === 'archive') return [present, await commands.archive(tx, present, author, how)];
            if (action === 'restore') return [present, await commands.restore(tx, present, author, how)];
            return [present, await commands.move(action)(tx, present, body, author, { ...how, told: body })];
          });
          const isSame = before?.['version'] === after?.['version'];
          results.set(id, {
            id,
            outcome: isSame ? 'unchanged' : 'done',
            version: after?.['version'] as number,
          });
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          results.set(id, { id, outcome: 'refused', problem: toProblem(error, call.requestId) });
        }
      }
      return reply(200, { results: items.map(({ id }) => results.get(id) as BulkResult) });
    });
  };
}

function byId({ id: one }: { readonly id: string }, { id: other }: { readonly id: string }): number {
  return one < other ? -1 : Number(one > other);
}

/** A transition in bulk needs the permission that it needs one by one. */
function requirePermission(
  call: SignedInCall,
  { permissions, transitions }: RecordDeclaration,
  action: string,
): void {
  const { name } = permissions[action in transitions ? action : 'change'] as Permission;
  if (!call.caller.may(name)) throw new Forbidden({ permission: name });
}

function bodyOf({ transitions }: RecordDeclaration, action: string, told: unknown): unknown {
  const schema = transitions[action]?.body;
  if (schema === undefined) return undefined;
  // It was read by the schema of any transition; it must also be what this one wants.
  const parsed = z.safeEncode(schema, told);
  if (parsed.success) return told;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    pointer: ['/with', ...path].join('/'),
    detail: told === undefined ? `${action} needs to be told` : message,
  }));
  throw new MalformedRequest({ errors });
}
