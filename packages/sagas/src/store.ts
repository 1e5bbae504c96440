import type { SagaNeed, SagaProblem, SagaState } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import type { Held, SagaRecord, StepRecord } from './saga.ts';

export interface SagaToInsert {
  readonly sagaId: string;
  readonly kind: string;
  readonly input: unknown;
  readonly startedBy: string | null;
  readonly requestId: string | null;
  readonly traceparent: string | null;
  readonly steps: readonly { readonly name: string; readonly request: object | null }[];
}

/** False where the id is taken; a start under way with the same id is waited for. */
export async function insertSaga(tx: TenantTransaction, saga: SagaToInsert): Promise<boolean> {
  const sql = `
    with started as (
      insert into saga (tenant_id, saga_id, kind, input, started_by, request_id, traceparent)
      values ($1, $2, $3, $4, $5, $6, $7)
      on conflict do nothing
      returning saga_id
    )
    insert into saga_step (tenant_id, saga_id, name, place, request)
    select $1, saga_id, step.name, step.place, step.request::json
    from started, unnest($8::text[], $9::text[]) with ordinality as step (name, request, place)`;
  const { sagaId, kind, input, startedBy, requestId, traceparent, steps } = saga;
  const names = steps.map(({ name }) => name);
  const requests = steps.map(({ request }) => textOf(request));
  const values = [sagaId, kind, JSON.stringify(input), startedBy, requestId, traceparent, names, requests];
  return (await tx.run(sql, [tx.tenantId, ...values], 'saga.insert')) > 0;
}

/** Whether the saga of this id was started with this content; as JSON, whatever the order of its fields. */
export async function isSameSaga(
  tx: TenantTransaction,
  { sagaId, kind, input }: Pick<SagaToInsert, 'sagaId' | 'kind' | 'input'>,
): Promise<boolean> {
  const sql = `
    select kind = $3 and input = $4::jsonb as "isSame" from saga where tenant_id = $1 and saga_id = $2`;
  const values = [tx.tenantId, sagaId, kind, JSON.stringify(input)];
  return (await tx.first<{ isSame: boolean }>(sql, values))?.isSame ?? false;
}

const recordColumns = `
  tenant_id as "tenantId", saga_id as "sagaId", kind, state, direction, input, started_by as "startedBy",
  request_id as "requestId", traceparent, holding, settled, failures, problem,
  undone_because as "undoneBecause", needs, given_up_by is not null as "isGivenUp",
  coalesce(extract(epoch from clock_timestamp() - failing_since) * 1000, 0)::float8 as "failingForMs",
  coalesce(doubtful_until > clock_timestamp(), false) as "isDoubtful",
  (select json_agg(json_build_object('name', name, 'state', step.state, 'request', request,
                                     'undoRequest', undo_request, 'result', result) order by place)
   from saga_step as step where step.tenant_id = saga.tenant_id and step.saga_id = saga.saga_id) as steps`;

/** Undefined once another instance has it, or it has ended or waits for a person. */
export function getHeld(tx: TenantTransaction, { sagaId, holding }: Held): Promise<SagaRecord | undefined> {
  const sql = `
    select ${recordColumns} from saga
    where tenant_id = $1 and saga_id = $2 and holding = $3 and state in ('running', 'undoing')`;
  return tx.first<SagaRecord>(sql, [tx.tenantId, sagaId, holding], 'saga.get_held');
}

/** Whoever holds it meanwhile finishes its transaction first. */
export function lockSaga(tx: TenantTransaction, sagaId: string): Promise<SagaRecord | undefined> {
  const sql = `select ${recordColumns} from saga where tenant_id = $1 and saga_id = $2 for update`;
  return tx.first<SagaRecord>(sql, [tx.tenantId, sagaId]);
}

/** Until the end of this transaction nobody else can take it up; false where somebody has. */
export async function lockHeld(tx: TenantTransaction, { sagaId, holding }: Held): Promise<boolean> {
  const sql = 'select from saga where tenant_id = $1 and saga_id = $2 and holding = $3 for update';
  return (await tx.rows(sql, [tx.tenantId, sagaId, holding], 'saga.lock_held')).length > 0;
}

export interface SagaToSave extends Held {
  readonly state: SagaState;
  readonly direction: 'forward' | 'back';
  readonly failures: number;
  readonly problem: SagaProblem | null;
  readonly undoneBecause: SagaProblem | null;
  readonly needs: SagaNeed | null;
  /** In how many milliseconds it may be taken up; null where nothing is left to do. */
  readonly dueInMs: number | null;
  /** For how long a refusal proves nothing; null where every answer does. */
  readonly doubtfulForMs: number | null;
  readonly changed: readonly (Pick<StepRecord, 'name'> & Partial<StepRecord>)[];
}

/** Writes where a saga stands; false, and nothing is written, where this is not its holding any more. */
export async function saveHeld(tx: TenantTransaction, saga: SagaToSave): Promise<boolean> {
  const sql = `
    with held as (
      update saga
      set state = $4, direction = $5, settled = holding, failures = $6, problem = $7, needs = $8,
          undone_because = $12,
          changed_at = clock_timestamp(),
          finished_at = case when $4 in ('done', 'undone', 'given-up') then clock_timestamp() end,
          due_at = clock_timestamp() + $9 * interval '1 millisecond',
          doubtful_until = clock_timestamp() + $10 * interval '1 millisecond',
          failing_since = case when $6 > 0 then coalesce(failing_since, clock_timestamp()) end
      where tenant_id = $1 and saga_id = $2 and holding = $3 and due_at is not null
      returning saga_id
    ), moved as (
      update saga_step as step
      set state = coalesce(change.state, step.state), request = coalesce(change.request, step.request),
          undo_request = coalesce(change."undoRequest", step.undo_request),
          result = coalesce(change.result, step.result),
          done_at = case when change.state = 'done' then clock_timestamp() else step.done_at end,
          undone_at = case when change.state = 'undone' then clock_timestamp() else step.undone_at end
      from held, json_to_recordset($11) as change
        (name text, state text, request json, "undoRequest" json, result json)
      where step.tenant_id = $1 and step.saga_id = $2 and step.name = change.name
    )
    select from held`;
  const { sagaId, holding, state, direction, failures, problem, needs } = saga;
  const values = [tx.tenantId, sagaId, holding, state, direction, failures, textOf(problem), textOf(needs)];
  const rest = [saga.dueInMs, saga.doubtfulForMs, JSON.stringify(saga.changed), textOf(saga.undoneBecause)];
  return (await tx.rows(sql, [...values, ...rest], 'saga.save')).length > 0;
}

function textOf(json: object | null): string | null {
  return json === null ? null : JSON.stringify(json);
}
