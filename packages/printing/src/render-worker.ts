// Rendering takes tens of milliseconds for a page: here it delays nobody else's request.
import { parentPort } from 'node:worker_threads';
import type { PrintedForm } from './form.ts';
import { renderForms } from './render.ts';

export interface RenderBatch {
  readonly batchId: number;
  readonly forms: readonly PrintedForm[];
}

export type Rendered = { readonly batchId: number } & (
  | { readonly pdf: Uint8Array<ArrayBuffer> }
  | { readonly failure: string }
);

parentPort?.on('message', (batch: RenderBatch) => void answer(batch));

async function answer({ batchId, forms }: RenderBatch): Promise<void> {
  try {
    const pdf = (await renderForms(forms)) as Uint8Array<ArrayBuffer>;
    parentPort?.postMessage({ batchId, pdf } satisfies Rendered, [pdf.buffer]);
  } catch (error) {
    parentPort?.postMessage({ batchId, failure: String((error as Error).stack) } satisfies Rendered);
  }
}
