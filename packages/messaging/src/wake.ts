/** A bell between one who brings work and one who waits for it. A ring before the wait is not lost; two are one. */
export interface Wake {
  readonly ring: () => void;
  /** Resolves at the next ring, at once if there was one since the last wait, or when the time is over. */
  readonly wait: (timeoutMs: number) => Promise<void>;
}

export function createWake(): Wake {
  let rung = false;
  let answer = () => {};
  return {
    ring() {
      rung = true;
      answer();
    },
    async wait(timeoutMs) {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, timeoutMs);
          answer = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      rung = false;
      answer = () => {};
    },
  };
}
