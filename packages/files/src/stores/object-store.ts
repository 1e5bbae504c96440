import type { Readable } from 'node:stream';

/** What is known of an object without reading it. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly storedAt: Date;
}

/** Both ends belong to it, as in the Range header of HTTP: bytes 0 to 0 are the first byte. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Bytes under names. Two adapters, `folderStore` and `s3Store`, pass one conformance suite. A key is one or more names
 * joined by slashes; a name begins with a letter or a digit and goes on with these, dots, dashes and underscores.
 *
 * Errors: `TypeError` for any other key; what the disk or the network says, as it is.
 */
export interface ObjectStore {
  /**
   * Keeps the object, or nothing at all: when the content fails or the signal fires, nothing of it can be read or listed,
   * and what was there before stays. Resolves once it would outlive a crash of this machine.
   */
  put(key: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /**
   * The object, or a part that lies within it. The stream must be read to its end or destroyed.
   *
   * Errors: ObjectAbsent.
   */
  get(key: string, range?: ByteRange): Promise<Readable>;
  stat(key: string): Promise<StoredObject | undefined>;
  /** Also when it is not there. */
  delete(key: string): Promise<void>;
  /** Whatever is below the prefix, which is the beginning of keys up to a slash; in no order. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Removes what puts that began before this moment have left behind, because their process died. Returns how many. */
  deleteUnfinished(before: Date): Promise<number>;
  close(): Promise<void>;
}

/** There is no object of this key. */
export class ObjectAbsent extends Error {
  override readonly name = 'ObjectAbsent';
}

const nameInKey = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** Keys become paths and addresses: nothing that could lead elsewhere passes. */
export function requireKey(key: string): void {
  if (!key.split('/').every((name) => nameInKey.test(name))) throw new TypeError('not the key of an object');
}

export function requirePrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) throw new TypeError('a prefix ends with a slash');
  requireKey(prefix.slice(0, -1));
}

/** The same content, which ends with the signal's reason even while its source says nothing. */
export async function* untilAborted(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  // One promise for each chunk: a race with one that lives longer would hold every chunk until the end.
  let giveUp: (reason: unknown) => void = () => undefined;
  const abort = () => giveUp(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const source = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        giveUp = reject;
        source.next().then(resolve, reject);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    void source.return?.()?.catch(() => undefined); // not waited for: a source that hangs is told once it wakes
  }
}
