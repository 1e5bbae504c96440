import type { Readable } from 'node:stream';

/** A file that was received whole. Nobody can read it yet. */
export interface SuspectFile {
  readonly tenantId: string;
  readonly fileId: string;
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Its content from the beginning, as often as asked. */
  open(): Promise<Readable>;
}

/**
 * Looks at each file between its arrival and its first reader, such as a virus scanner. What it refuses is deleted; when it
 * fails, the upload fails.
 */
export interface Quarantine {
  inspect(file: SuspectFile, signal?: AbortSignal): Promise<{ readonly passes: boolean }>;
}

/** Where no scanner is connected. */
export const noQuarantine: Quarantine = { inspect: async () => ({ passes: true }) };
