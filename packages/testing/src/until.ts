/** Waits for what is bound to happen; how soon is not what the tests are about. */
export async function until<T>(check: () => T | Promise<T>, giveUpAfterMs = 45_000): Promise<T> {
  const giveUpAt = Date.now() + giveUpAfterMs;
  while (Date.now() < giveUpAt) {
    const value = await check();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not happen');
}
