import { personalRecords } from '@marimo/contracts/workers';
import type { Deps } from '@marimo/service-kit';

interface Whose {
  readonly personId: string;
  /** Null where the asking organisation has no claim to it. */
  readonly email: string | null;
}

export interface KeptHere extends personalRecords.KeptOfPerson {
  readonly organisationId: string;
}

/** Asked before the transaction that tells of the export: while the workers are away there is none, and it says so. */
export async function keptByWorkers(
  { client }: Pick<Deps, 'client'>,
  { personId, email }: Whose,
  tenantIds: readonly string[],
  { deadlineAt, signal }: { readonly deadlineAt: number; readonly signal: AbortSignal },
): Promise<KeptHere[]> {
  const kept: KeptHere[] = [];
  for (const organisationId of tenantIds) {
    const query = email === null ? {} : { email };
    const asked = { params: { personId }, query, organisationId, deadlineAt, signal };
    const { body } = await client.call(personalRecords.getKept, asked);
    kept.push({ organisationId, ...body });
  }
  return kept;
}
