import { Writable } from 'node:stream';
import winston from 'winston';
import { currentContext } from './context.ts';
import { redact, redactText } from './redact.ts';
import { currentSpanContext } from './trace.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** One line a call on standard output, with the ids of the work at hand; secrets never. */
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
  /** `text` is for eyes, `json` for programs; unless told, text where standard output is a terminal. */
  readonly form?: 'json' | 'text';
}

type Level = 'debug' | 'info' | 'warn' | 'error';
const weight = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

export function createLog({ service, level = 'info', write, form }: LogOptions): Log {
  const isForEyes = form === undefined ? write === undefined && process.stdout.isTTY : form === 'text';
  const written = isForEyes ? asText : asJson;
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
      const text = written(line(service, of, message, { ...always, ...fields }));
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
function line(service: string, level: Level, message: string, fields: LogFields) {
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
    ...(work?.callingService !== undefined && { 'service.origin.name': work.callingService }),
  };
  // Twice: the first gives the order, the last keeps a caller's field from passing as one of these.
  return { ...fixed, ...(redact(fields) as object), ...fixed };
}

type Line = ReturnType<typeof line>;

function asJson(entry: Line): string {
  return oneLine(JSON.stringify(entry));
}

/** `14:05:09 accounting  serving  port=8083`: what an operator at a terminal wants to know, without the ids. */
function asText(entry: Line): string {
  const { '@timestamp': time, 'log.level': level, message, 'service.name': service, ...fields } = entry;
  const told = Object.entries(fields)
    .filter(([name]) => !/^(trace|span|request|tenant|user)\.id$/.test(name))
    .map(([name, value]) => `${quoted(name)}=${quoted(value)}`);
  const loud = level === 'info' || level === 'debug' ? [] : [level.toUpperCase()];
  const first = [
    time.slice(11, 19),
    service.padEnd(10),
    ...loud,
    quoted(message, /^[^"\\\p{C}\p{Zl}\p{Zp}]+$/u),
  ];
  return oneLine([...first, ...told].join(' '));
}

/** As it is where that is plain, else as JSON writes it, so that no value can pass for another field or line. */
function quoted(value: unknown, plain = /^[\w./:@*+-]+$/): string {
  return typeof value === 'string' && plain.test(value) ? value : JSON.stringify(value);
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
