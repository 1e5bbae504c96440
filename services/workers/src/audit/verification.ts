import type { audit } from '@marimo/contracts/workers';
import type { ChainState } from './store.ts';

/** What the state of a chain says: whole, or the first place where it is not. */
export function verdictOn(chain: ChainState): audit.AuditVerification {
  const firstProblem = problemOf(chain);
  return {
    valid: firstProblem === undefined,
    records: Number(chain.records),
    head: { sequence: Number(chain.headSequence), hash: chain.headHash },
    ...(chain.startSequence > 0n && {
      start: { sequence: Number(chain.startSequence), hash: chain.startHash },
    }),
    ...(firstProblem && { firstProblem }),
  };
}

function problemOf({ problem, brokenSequence, lastSequence, headSequence, sameHash }: ChainState) {
  if (problem !== null && brokenSequence !== null) return { sequence: Number(brokenSequence), problem };
  // The records agree with each other; only the head, kept apart, can tell about their end.
  if (lastSequence < headSequence)
    return { sequence: Number(lastSequence) + 1, problem: 'tail-cut' } as const;
  if (lastSequence > headSequence)
    return { sequence: Number(headSequence) + 1, problem: 'tail-added' } as const;
  if (sameHash === false) return { sequence: Number(lastSequence), problem: 'edited' } as const;
  return undefined;
}
