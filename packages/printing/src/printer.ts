import { Worker } from 'node:worker_threads';
import type { PrintedForm } from './form.ts';
import type { RenderBatch, Rendered } from './render-worker.ts';

/** Renders forms to PDF beside the event loop, one call after the other. */
export interface Printer {
  /** All forms in one file, in this order; each begins on a page of its own. */
  print(forms: readonly PrintedForm[]): Promise<Uint8Array>;
}

/** How long a thread without work keeps its fonts. */
const idleMs = 60_000;

interface Waiting {
  resolve(pdf: Uint8Array): void;
  reject(error: Error): void;
}

/** The thread begins with the first call and ends when there was none for a minute; it keeps no process alive. */
export function createPrinter(): Printer {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let batches = 0;

  function begin(): Worker {
    const begun = new Worker(new URL('./render-worker.ts', import.meta.url));
    begun.on('message', (answer: Rendered) => {
      const caller = waiting.get(answer.batchId);
      waiting.delete(answer.batchId);
      if (waiting.size === 0) rest(begun);
      if ('pdf' in answer) caller?.resolve(answer.pdf);
      else caller?.reject(new Error(`The form could not be rendered: ${answer.failure}`));
    });
    begun.on('error', (error) => end(begun, error as Error));
    begun.on('exit', () => end(begun, new Error('The printing thread ended')));
    return begun;
  }

  function rest(begun: Worker): void {
    begun.unref();
    idle = setTimeout(() => {
      if (worker === begun) worker = undefined;
      void begun.terminate();
    }, idleMs).unref();
  }

  function end(ended: Worker, error: Error): void {
    if (worker !== ended) return;
    worker = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  return {
    print(forms) {
      clearTimeout(idle);
      worker ??= begin();
      worker.ref();
      batches += 1;
      const batch: RenderBatch = { batchId: batches, forms };
      worker.postMessage(batch);
      return new Promise((resolve, reject) => waiting.set(batch.batchId, { resolve, reject }));
    },
  };
}
