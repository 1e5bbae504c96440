/** The listeners of this process. */
export class Topics {
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  readonly #failed: (error: unknown) => void;

  /** @param failed told what a listener threw; it disturbs neither the publisher nor the other listeners */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get channels(): string[] {
    return [...this.#listeners.keys()];
  }

  add(channel: string, listener: (message: string) => void): () => void {
    const own = (message: string) => listener(message); // the same function may listen twice
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(own));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  emit(channel: string, message: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) {
      try {
        listener(message);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
