import { Writable } from 'node:stream';
import winston from 'winston';
import { currentContext } from './context.ts';
import { redact, redactText } from './redact.ts';
import { currentSpanContext } from './trace.ts';

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
  /** `info` unless told. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Takes each line, its line end included; standard output unless told. */
  readonly write?: (line: string) => void;
}

type Level = 'debug' | 'info' | 'warn' | 'error';
const weight = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

export function createLog({ service, level = 'info', write }: LogOptions): Log {
  const logger = winston.createLogger({
    level: 'debug', // decided below, before a line is built
    format: winston.format.printf(({ message }) => String(message)),
    transports: [
      new winston.transports.Stream({ stream: write ? lineSink(write) : process.stdout, eol: '\n' }),
    ],
  });

  const withFields = (always: LogFields): Log => {
    const at = (of: Level) => (message: string, fields?: LogFields) => {
      if (weight[of] < weight[level]) return;
      // Built here and not in a winston format: a format may run later, outside the context of the work.
      const text = line(service, of, message, { ...always, ...fields });
      logger.log({ level: of, message: text });
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (fields) => withFields({ ...always, ...fields }),
    };
  };
  return withFields({});
}

/** Field names follow the Elastic Common Schema, so that Kibana needs no mapping. */
function line(service: string, level: Level, message: string, fields: LogFields): string {
  const work = currentContext();
  const span = currentSpanContext();
  const fixed = {
    '@timestamp': new Date().toISOString(),
    'log.level': level,
    message: redactText(message),
    'service.name': service,
    ...(span && { 'trace.id': span.traceId, 'span.id': span.spanId }),
    ...(work && { 'request.id': work.requestId }),
    ...(work?.tenantId !== undefined && { 'tenant.id': work.tenantId }),
    ...(work?.actorId !== undefined && { 'user.id': work.actorId }),
  };
  // Twice: the first gives the order, the last keeps a caller's field from passing as one of these.
  return oneLine(JSON.stringify({ ...fixed, ...(redact(fields) as object), ...fixed }));
}

/** JSON escapes CR, LF and ESC itself; these too end a line or begin a command in some terminals and viewers. */
function oneLine(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function lineSink(write: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      write(String(chunk));
      done();
    },
  });
}
