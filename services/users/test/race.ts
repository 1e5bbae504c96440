import type { ServiceUnderTest } from '@marimo/testing';

/** In ascending order: which of several that came at once got which is nobody's promise. */
export function statusesOf(answers: readonly { readonly status: number }[]): number[] {
  return answers.map(({ status }) => status).sort((a, b) => a - b);
}

/** How many transactions of this service wait for each other at this moment. */
async function waiting(users: ServiceUnderTest): Promise<number> {
  const [row] = await users.database.sql<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

/**
 * Lets requests meet where they would else only pass by chance: `lock` is taken, each request is started once those
 * before it have run up against a lock or are done, and then all go on at once.
 */
export async function raceAt<Answers extends readonly unknown[]>(
  users: ServiceUnderTest,
  tenantId: string,
  lock: { readonly sql: string; readonly values: readonly unknown[] },
  requests: { readonly [Place in keyof Answers]: () => Promise<Answers[Place]> },
): Promise<Answers> {
  const answers: Promise<unknown>[] = [];
  await users.database.database.inTenant(tenantId, async (tx) => {
    await tx.run(lock.sql, lock.values);
    let done = 0;
    for (const start of requests) {
      const answer = start().finally(() => {
        done += 1;
      });
      answers.push(answer);
      answer.catch(() => undefined); // told to whom awaits all of them
      while ((await waiting(users)) + done < answers.length) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  });
  return (await Promise.all(answers)) as unknown as Answers;
}
