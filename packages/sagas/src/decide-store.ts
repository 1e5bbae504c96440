import type { TenantTransaction } from '@marimo/postgres';

/** Tries at once what waits or is stuck; what is under way goes on as it does. */
export async function resumeSaga(tx: TenantTransaction, sagaId: string): Promise<void> {
  const sql = `
    update saga
    set state = case direction when 'back' then 'undoing' else 'running' end, due_at = clock_timestamp(),
        changed_at = clock_timestamp(), failures = 0, failing_since = null, needs = null
    where tenant_id = $1 and saga_id = $2
      and (state = 'stuck' or (state in ('running', 'undoing') and failures > 0 and holding = settled))`;
  await tx.run(sql, [tx.tenantId, sagaId]);
}

export interface GivingUp {
  readonly by: string;
  readonly reason: string;
  /** A step that is not tried any more. */
  readonly leaves: string | undefined;
}

/**
 * Turns a saga back. Whoever holds it loses it, and what it finds out meanwhile does not count; a first command that nobody
 * can have sent yet is not sent.
 */
export async function turnBack(
  tx: TenantTransaction,
  sagaId: string,
  { by, reason, leaves }: GivingUp,
): Promise<void> {
  const sql = `
    with turned as (
      update saga
      set state = 'undoing', direction = 'back', due_at = clock_timestamp(), changed_at = clock_timestamp(),
          holding = holding + 1, failures = 0, failing_since = null, needs = null,
          given_up_by = $3, give_up_reason = $4
      where tenant_id = $1 and saga_id = $2
      returning saga_id, holding
    )
    update saga_step as step
    set state = case when step.name = $5 then 'left' else step.state end,
        request = case when step.state = 'waiting' and turned.holding = 1 then null else step.request end
    from turned
    where step.tenant_id = $1 and step.saga_id = $2 and (step.name = $5 or turned.holding = 1)`;
  await tx.run(sql, [tx.tenantId, sagaId, by, reason, leaves]);
}
