import type { secondFactors } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';

export interface Factor {
  readonly factorId: string;
  readonly kind: secondFactors.SecondFactorKind;
  readonly name: string;
  readonly addedAt: Date;
  readonly lastUsedAt: Date | null;
}

export interface Lockout {
  readonly failures: number;
  readonly blockedUntil: Date | null;
}

const factorColumns = `f.factor_id as "factorId", f.kind, f.name, f.added_at as "addedAt",
                       f.last_used_at as "lastUsedAt"`;

/** Ours alone until the end of the transaction: all that changes a person's second factors waits here. */
export async function lockFactors(tx: Transaction, personId: string): Promise<Lockout> {
  await tx.run(
    'insert into second_factor_standing (person_id) values ($1) on conflict (person_id) do nothing',
    [personId],
    'make_standing',
  );
  const lockout = await tx.first<Lockout>(
    `select failures, blocked_until as "blockedUntil" from second_factor_standing where person_id = $1 for update`,
    [personId],
    'lock_standing',
  );
  return lockout ?? { failures: 0, blockedUntil: null };
}

export async function updateLockout(
  tx: Transaction,
  personId: string,
  { failures, blockedUntil }: Lockout,
): Promise<void> {
  await tx.run(
    'update second_factor_standing set failures = $2, blocked_until = $3 where person_id = $1',
    [personId, failures, blockedUntil],
    'keep_standing',
  );
}

/** Ours alone until the end of the transaction: they begin nothing anywhere, and join no organisation. */
export async function lockPerson(tx: Transaction, personId: string): Promise<void> {
  await tx.run('select from person where person_id = $1 for update', [personId]);
}

/** Those that count: without one that waits for its first code. Oldest first. */
export function listFactors(tx: Transaction, personId: string): Promise<Factor[]> {
  return tx.rows(
    `select ${factorColumns} from second_factor f
      where f.person_id = $1 and f.added_at is not null
      order by f.added_at, f.factor_id`,
    [personId],
    'second_factors',
  );
}

export async function insertFactor(
  tx: Transaction,
  factor: {
    readonly factorId: string;
    readonly personId: string;
    readonly kind: secondFactors.SecondFactorKind;
    readonly name: string;
  },
  now: Date,
): Promise<void> {
  const { factorId, personId, kind, name } = factor;
  await tx.run(
    'insert into second_factor (factor_id, person_id, kind, name, begun_at) values ($1, $2, $3, $4, $5)',
    [factorId, personId, kind, name, now],
  );
}

/** From now on it is asked for. */
export function updateAdded(tx: Transaction, factorId: string, now: Date): Promise<Factor | undefined> {
  return tx.first(
    `update second_factor f set added_at = $2 where f.factor_id = $1 returning ${factorColumns}`,
    [factorId, now],
  );
}

export async function updateFactorUse(tx: Transaction, factorId: string, now: Date): Promise<void> {
  await tx.run('update second_factor set last_used_at = $2 where factor_id = $1', [factorId, now]);
}

export function updateFactorName(
  tx: Transaction,
  { personId, factorId, name }: { personId: string; factorId: string; name: string },
): Promise<Factor | undefined> {
  return tx.first(
    `update second_factor f set name = $3
      where f.person_id = $1 and f.factor_id = $2 and f.added_at is not null
     returning ${factorColumns}`,
    [personId, factorId, name],
  );
}

export function deleteFactor(
  tx: Transaction,
  personId: string,
  factorId: string,
): Promise<Factor | undefined> {
  return tx.first(
    `delete from second_factor f
      where f.person_id = $1 and f.factor_id = $2 and f.added_at is not null
     returning ${factorColumns}`,
    [personId, factorId],
  );
}

/** How many there were that counted. */
export async function deleteAllFactors(tx: Transaction, personId: string): Promise<number> {
  const gone = await tx.rows<{ addedAt: Date | null }>(
    'delete from second_factor where person_id = $1 returning added_at as "addedAt"',
    [personId],
  );
  return gone.filter(({ addedAt }) => addedAt !== null).length;
}

/** Begun and never confirmed: all of one person's, or everybody's of before a moment. */
export async function deleteBegunFactors(
  tx: Transaction,
  which: { readonly personId: string } | { readonly before: Date },
): Promise<void> {
  if ('personId' in which) {
    await tx.run('delete from second_factor where added_at is null and person_id = $1', [which.personId]);
  } else {
    await tx.run('delete from second_factor where added_at is null and begun_at < $1', [which.before]);
  }
}

/** In the organisation of the transaction. */
export async function requiresSecondFactor(tx: TenantTransaction): Promise<boolean> {
  const row = await tx.first<{ demanded: boolean }>(
    'select require_second_factor as demanded from organisation where tenant_id = $1',
    [tx.tenantId],
  );
  return row?.demanded ?? false;
}

/** Of the organisation of the transaction, also one who is suspended. */
export async function isMember(tx: TenantTransaction, personId: string): Promise<boolean> {
  const found = await tx.first(
    `select 1 from member where tenant_id = $1 and person_id = $2 and state <> 'left'`,
    [tx.tenantId, personId],
  );
  return found !== undefined;
}
