import { type CustomFieldsContract, CustomFieldUnfit } from '@marimo/contracts';
import type { AnyRecord } from '@marimo/contracts/records';
import type { TenantTransaction } from '@marimo/postgres';
import { recordsOf } from '@marimo/records';
import type { Route } from '../route.ts';
import type { Deps } from '../service.ts';
import { recordRoutes } from './routes.ts';

const mostOfARecord = 50;

/** How organisations add fields of their own to these records, and take them away by archiving. */
export function customFieldRoutes(
  contract: CustomFieldsContract,
  allowed: readonly Pick<AnyRecord, 'name' | 'hasCustomFields'>[],
  deps: Deps,
): Route[] {
  const customFields = recordsOf(contract.record, deps);
  const records = allowed.filter(({ hasCustomFields }) => hasCustomFields).map(({ name }) => name);
  const refuse = (reason: CustomFieldUnfit['facts']['reason']) => {
    throw new CustomFieldUnfit({ reason, records, most: mostOfARecord });
  };
  return recordRoutes(contract, customFields, deps, {
    async create(tx, draft, author) {
      if (!records.includes(draft.recordName)) refuse('record-unknown');
      // What every object of JavaScript has, such as `constructor`, cannot be told from a field.
      if (!/^[a-z][a-zA-Z0-9]{0,39}$/.test(draft.name) || draft.name in {}) refuse('name-malformed');
      if (draft.kind === 'choice' && draft.options.length === 0) refuse('options-missing');
      if (draft.kind !== 'choice' && draft.options.length > 0) refuse('options-superfluous');
      if ((await countInUse(tx, draft.recordName)) >= mostOfARecord) refuse('too-many');
      return customFields.create(tx, draft, author);
    },
    async change(tx, present, patch, author, options) {
      const { options: values = present.options } = patch;
      if (present.kind === 'choice' && values.length === 0) refuse('options-missing');
      if (present.kind !== 'choice' && values.length > 0) refuse('options-superfluous');
      return customFields.change(tx, present, patch, author, options);
    },
    async restore(tx, present, author, options) {
      if (present.archived && (await countInUse(tx, present.recordName)) >= mostOfARecord) refuse('too-many');
      return customFields.restore(tx, present, author, options);
    },
  });
}

/** Locks the fields of the record, so that two cannot both be the last. */
async function countInUse(tx: TenantTransaction, recordName: string): Promise<number> {
  await tx.run("select pg_advisory_xact_lock(hashtextextended('custom fields of ' || $1 || $2, 0))", [
    tx.tenantId,
    recordName,
  ]);
  const sql = 'select count(*) from custom_field where tenant_id = $1 and record_name = $2 and not archived';
  const found = await tx.first<{ count: bigint }>(sql, [tx.tenantId, recordName]);
  return Number(found?.count ?? 0n);
}
