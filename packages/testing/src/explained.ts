import type { TenantTransaction } from '@marimo/postgres';

/** One step of a plan, as `explain (format json)` shows it. */
export interface PlanStep {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanStep[];
}

/** The same transaction, which also asks how each of its reads is going to be done. */
export function explaining(tx: TenantTransaction): { tx: TenantTransaction; steps: PlanStep[] } {
  const steps: PlanStep[] = [];
  const rows: TenantTransaction['rows'] = async (sql, values, name) => {
    if (/^\s*select/i.test(sql)) {
      const [plan] = await tx.rows<{ 'QUERY PLAN': { Plan: PlanStep }[] }>(
        `explain (format json) ${sql}`,
        values,
      );
      steps.push(...plan!['QUERY PLAN'].flatMap(({ Plan }) => stepsOf(Plan)));
    }
    return tx.rows(sql, values, name);
  };
  const first: TenantTransaction['first'] = async (sql, values) => (await rows(sql, values))[0] as never;
  return { tx: Object.assign(Object.create(tx), { rows, first }), steps };
}

function stepsOf(step: PlanStep): PlanStep[] {
  return [step, ...(step.Plans ?? []).flatMap(stepsOf)];
}
