import type pg from 'pg';
import { asAdministrator } from '../administrator.ts';
import type { ServerAddress } from '../settings.ts';
import { type CatalogueRule, catalogueRules, definerRule, globalTablesSql } from './rules.ts';

export interface Violation {
  /** The rule that is broken, as a sentence. */
  readonly rule: string;
  readonly schema: string;
  readonly object: string;
  readonly detail?: string;
}

export interface CatalogueOptions {
  /** `schema.function` of each SECURITY DEFINER function that is meant. */
  readonly definers?: readonly string[];
}

/**
 * Reads the catalogue of all service schemas and reports whatever would let one tenant see, touch or guess another's
 * data. An empty list is the proof that every table is protected, also the one that somebody added yesterday.
 */
export function checkCatalogue(server: ServerAddress, options: CatalogueOptions = {}): Promise<Violation[]> {
  return asAdministrator(server, (client) => violationsSeenBy(client, options));
}

/** The same on a connection that exists, in the transaction that it is in. */
export async function violationsSeenBy(
  client: pg.ClientBase,
  options: CatalogueOptions = {},
): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const rule of catalogueRules) found.push(...(await broken(client, rule)));
  found.push(...(await broken(client, definerRule, [options.definers ?? []])));
  return found;
}

export interface GlobalTable {
  readonly schema: string;
  readonly table: string;
  readonly reason: string;
}

/** The tables that say of themselves that they belong to no tenant; each is a decision somebody should have read. */
export function globalTables(server: ServerAddress): Promise<GlobalTable[]> {
  return asAdministrator(server, async (client) => {
    const { rows } = await client.query(globalTablesSql);
    return rows.map(({ schema, object, detail }) => ({ schema, table: object, reason: detail }));
  });
}

async function broken(
  client: pg.ClientBase,
  rule: CatalogueRule,
  values: unknown[] = [],
): Promise<Violation[]> {
  const { rows } = await client.query(rule.sql, values);
  return rows.map((row) => ({ rule: rule.says, ...row }));
}
