export type LogFields = Readonly<Record<string, unknown>>;

/** One JSON line a call on standard output, with the ids of the work at hand; secrets never. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields & { error?: unknown }): void;
  /** A log whose every line carries these fields too. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  readonly service: string;
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly write?: (line: string) => void;
}

export declare function createLog(options: LogOptions): Log;
