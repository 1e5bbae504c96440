/** Works through all of it, some at the same time. */
export async function atOnce<T>(
  all: readonly T[],
  work: (one: T) => Promise<unknown>,
  many = 8,
): Promise<void> {
  const waiting = all.values();
  const worker = async () => {
    for (const one of waiting) await work(one);
  };
  await Promise.all(Array.from({ length: many }, worker));
}
