import { mkdirSync, readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';

/** A small file that is read at the start and replaced at each change. */
export interface KeptFile<T> {
  /** Undefined when there is none, or when it is invalid. */
  read(): T | undefined;
  /** Of several writes at once only the last is done; resolves once it, or a later one, is on the disk. */
  write(content: T): Promise<void>;
}

/** Readers see the old file or the new one, never half of one, also when the machine stops in the middle. */
export function keptFile<S extends z.ZodType>(file: string, schema: S): KeptFile<z.output<S>> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let running: Promise<void> = Promise.resolve();
  let waiting: { text: string; readonly written: Promise<void> } | undefined;
  return {
    read() {
      try {
        return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
      } catch {
        return undefined; // none, or no JSON
      }
    },
    write(content) {
      const text = JSON.stringify(content);
      if (waiting !== undefined) {
        waiting.text = text; // those already waiting now wait for this text
        return waiting.written;
      }
      const next = async () => {
        await running.catch(() => undefined); // its writer was told
        const latest = waiting?.text ?? text;
        waiting = undefined;
        await replace(file, latest);
      };
      const written = next();
      waiting = { text, written };
      running = written;
      return written;
    },
  };
}

async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(draft, 'w', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
