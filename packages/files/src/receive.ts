import { createHash } from 'node:crypto';
import { FileTooLarge } from '@marimo/contracts';
import { TypeFinder } from './content-type.ts';

export interface Measured {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly contentType: string;
}

/** Content on its way into a store: counted, hashed and looked at as it passes. */
export class PassingContent {
  /** What the sender failed with, told apart from what the store fails with. */
  failure: { readonly error: unknown } | undefined;
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #limitBytes: number;
  readonly #hash = createHash('sha256');
  readonly #type = new TypeFinder();
  #sizeBytes = 0;

  constructor(content: AsyncIterable<Uint8Array>, limitBytes: number) {
    this.#content = content;
    this.#limitBytes = limitBytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of this.#content) {
        this.#sizeBytes += chunk.length;
        if (this.#sizeBytes > this.#limitBytes) throw new FileTooLarge({ limit: this.#limitBytes });
        this.#hash.update(chunk);
        await this.#type.take(chunk);
        yield chunk;
      }
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  /** Once, after the end, whichever it was. */
  async measured(): Promise<Measured> {
    const contentType = await this.#type.end();
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex'), contentType };
  }
}
