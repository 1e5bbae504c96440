import type { Log } from '@marimo/observability';

/** Does the work now and again after each pause, one at a time; stop() resolves when nothing runs any more. */
export function repeat(pauseMs: number, log: Log, what: string, work: () => Promise<unknown>) {
  let stopped = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let running = once();

  async function once(): Promise<void> {
    try {
      await work();
      failing = false;
    } catch (error) {
      // Once for each outage: whoever watches the log needs no line a second.
      if (!failing && !stopped) log.warn(`${what} failed; trying on`, { error });
      failing = true;
    }
    if (!stopped) {
      timer = setTimeout(() => {
        running = once();
      }, pauseMs);
    }
  }
  return {
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
