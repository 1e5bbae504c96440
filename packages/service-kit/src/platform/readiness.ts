import type { Readiness } from '../pages/operations.ts';
import type { Deps } from '../service.ts';
import type { RunningVerifier } from './verifier-of.ts';

export interface ReadinessAnswers {
  ask(): Promise<Readiness>;
  /** From now on the answer is no. */
  drain(): void;
  readonly draining: boolean;
}

/** Whether the service can do its work now: only what it cannot work without is asked. */
export function readinessOf(
  { hasDatabase, consumers }: { readonly hasDatabase: boolean; readonly consumers: readonly unknown[] },
  { database, transport }: Deps,
  verifier: RunningVerifier,
): ReadinessAnswers {
  const checks: Record<string, () => Promise<boolean>> = { signingKeys: async () => verifier.ready };
  if (hasDatabase) checks['database'] = () => answers(database.ping());
  if (consumers.length > 0) checks['messages'] = async () => transport.connected;
  let draining = false;

  return {
    async ask() {
      const names = Object.keys(checks);
      const results = await Promise.all(Object.values(checks).map((check) => check()));
      return {
        ready: !draining && results.every(Boolean),
        checks: {
          ...Object.fromEntries(names.map((name, place) => [name, results[place] === true])),
          staying: !draining,
        },
      };
    },
    drain() {
      draining = true;
    },
    get draining() {
      return draining;
    },
  };
}

function answers(asked: Promise<void>): Promise<boolean> {
  return asked.then(
    () => true,
    () => false,
  );
}
