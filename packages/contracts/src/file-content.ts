import { z } from 'zod';

/** A reply that is sent as it is read, instead of JSON: the bytes of a file. */
export interface FileContent {
  /** Undefined where it is made as it is sent; then it is sent as a whole. */
  readonly sizeBytes: number | undefined;
  /** All of it, or from one byte to another, both included. */
  open(range?: { readonly first: number; readonly last: number }): Promise<AsyncIterable<Uint8Array>>;
}

/** Stands among the replies of an endpoint that sends the bytes of a file. */
export const FileContent = z.custom<FileContent>(isFileContent);

export function isFileContent(value: unknown): value is FileContent {
  return typeof value === 'object' && value !== null && 'sizeBytes' in value && 'open' in value;
}
