import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { operators } from '@marimo/contracts/gateway';
import type { Log } from '@marimo/observability';

/** Who changed what of the gateway, and when. */
export interface Journal {
  /** Never fails: the change is made, and the log has it too. */
  add(entry: operators.JournalEntry): Promise<void>;
  /** The last ones, newest first. */
  latest(): Promise<operators.JournalEntry[]>;
}

const latestCount = 100;
const readBytes = 512 * 1024;

/** One JSON line for each change, in a file that only grows; undefined keeps them in the log alone. */
export function journalIn(file: string | undefined, log: Log): Journal {
  return {
    async add(entry) {
      log.info('an operator changed the gateway', { ...entry });
      if (file === undefined) return;
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await appendFile(file, `${JSON.stringify(entry)}\n`, { mode: 0o600, flush: true });
      } catch (error) {
        log.error('a change by an operator could not be put into the journal', { error });
      }
    },
    async latest() {
      const lines = file === undefined ? [] : (await tailOf(file)).split('\n');
      return lines.flatMap(read).slice(-latestCount).reverse();
    },
  };
}

/** The first line of what is read may be half a line, as the last may be after a power cut. */
function read(line: string): operators.JournalEntry[] {
  try {
    const entry = operators.JournalEntry.safeParse(JSON.parse(line));
    return entry.success ? [entry.data] : [];
  } catch {
    return [];
  }
}

async function tailOf(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, readBytes);
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8');
    } finally {
      await handle.close();
    }
  } catch {
    return ''; // nothing was ever changed
  }
}
