import type { Saga, SagaState, SagaWithSteps } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';

const columns = `
  saga_id as "sagaId", kind, state, started_by as "startedBy", started_at as "startedAt", changed_at as "changedAt",
  finished_at as "finishedAt", undone_because as "undoneBecause", problem, failing_since as "failingSince", needs,
  given_up_by as "givenUpBy", give_up_reason as "giveUpReason"`;

export interface SagaSlice {
  readonly states: readonly SagaState[] | undefined;
  /** The key of the last of the page before. */
  readonly after: readonly [startedAt: Date, sagaId: string] | undefined;
  readonly limit: number;
}

/** Newest first. */
export function listSagas(tx: TenantTransaction, { states, after, limit }: SagaSlice): Promise<Saga[]> {
  const sql = `
    select ${columns} from saga
    where tenant_id = $1 and ($2::text[] is null or state = any ($2))
      and ($3::timestamptz is null or (started_at, saga_id) < ($3, $4::uuid))
    order by started_at desc, saga_id desc
    limit $5`;
  return tx.rows(sql, [tx.tenantId, states ?? null, ...(after ?? [null, null]), limit]);
}

export async function getSaga(tx: TenantTransaction, sagaId: string): Promise<SagaWithSteps | undefined> {
  const saga = await tx.first<Saga>(`select ${columns} from saga where tenant_id = $1 and saga_id = $2`, [
    tx.tenantId,
    sagaId,
  ]);
  if (saga === undefined) return undefined;
  const sql = `
    select name, state, done_at as "doneAt", undone_at as "undoneAt" from saga_step
    where tenant_id = $1 and saga_id = $2
    order by place`;
  return { ...saga, steps: await tx.rows(sql, [tx.tenantId, sagaId]) };
}
