import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileContent, Forbidden, newId, type Permission, TooManyRequests } from '@marimo/contracts';
import {
  kebab,
  mostRowsInRequest,
  type ParsedQuery,
  type RecordDeclaration,
} from '@marimo/contracts/records';
import { contentDisposition, contentTypeHeader } from '@marimo/files';
import type { TenantTransaction } from '@marimo/postgres';
import {
  exportOf,
  getMapping,
  importRecords,
  type Language,
  listCustomColumns,
  openRecordFile,
  type Restriction,
  referredBy,
  templateOf,
  ZoneClock,
} from '@marimo/records';
import { requireFound } from '../http/require-found.ts';
import { reply, type SignedInCall } from '../route.ts';
import type { Deps } from '../service.ts';
import { limitConcurrencyByKey } from '../transactions/limit-concurrency.ts';
import type { AnyCommands, AnyOptions, AnyRecords } from './commands.ts';
import { type ImportJobInput, importRecordsKind } from './import-job.ts';
import type { RecordImporter } from './imports.ts';

type Values = Readonly<Record<string, unknown>>;
type FileCall = SignedInCall & { readonly query: ParsedQuery };
export type FileDeps = Pick<
  Deps,
  'clock' | 'organisations' | 'database' | 'files' | 'jobs' | 'recordImports'
>;

interface FileServing {
  readonly record: RecordDeclaration;
  readonly records: AnyRecords;
  readonly commands: AnyCommands;
  readonly options: AnyOptions;
  readonly deps: FileDeps;
}

const contentTypes = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ndjson: 'application/x-ndjson',
} as const;

/** Each holds a connection until its reader has all of it. */
const exportsAtOnce = 2;
const waitMs = 5_000;
const limitExports = limitConcurrencyByKey(exportsAtOnce);

/** Export, template and import of a record. `imports`: whether it is imported. */
export function fileHandlers(serving: FileServing, imports: boolean) {
  const importer = importerOf(serving);
  if (imports) serving.deps.recordImports.add(importer);
  return {
    exportFile: (call: FileCall) => exportFile(serving, call),
    importTemplate: (call: FileCall) => importTemplate(serving, call),
    importFile: (call: FileCall) => importFile(serving, importer, call),
  };
}

function importerOf({ record, records, commands, options }: FileServing): RecordImporter {
  return {
    record,
    planOf: (author, restriction, may) => ({
      record,
      records,
      create: options.create === undefined ? undefined : commands.create,
      change: commands.change,
      author,
      restriction,
      requireMayChange() {
        const { name } = record.permissions['change'] as Permission;
        if (!may(name)) throw new Forbidden({ permission: name });
      },
      referred: referredBy(record, options.refersTo ?? []),
    }),
  };
}

interface Asked {
  readonly format: 'csv' | 'xlsx' | 'ndjson';
  readonly language?: Language;
}

async function requestOf({ record, options, deps }: FileServing, call: FileCall) {
  const { format, language, ...query } = call.query as unknown as Asked & Values;
  const organisation = await deps.organisations.of(call);
  const about = { organisation: organisation.name, author: call.caller.userId, at: deps.clock(), query };
  return {
    record,
    format,
    language: language ?? (organisation.language === 'ru' ? ('ru' as const) : ('en' as const)),
    clock: new ZoneClock(organisation.timeZone),
    about,
    restriction: options.restrict?.(call) ?? {},
    referred: referredBy(record, options.refersTo ?? []),
    custom: await call.readInTenant((tx) => listCustomColumns(tx, record)),
  };
}

/** Says in the headers what the file is, where they do not stand in its way when it is imported again. */
function headersOf(
  { record, format, language, about }: Awaited<ReturnType<typeof requestOf>>,
  suffix: string,
) {
  const name = `${record.labels.many[language]} ${suffix}.${format}`;
  const { organisation, author, at, query } = about;
  const described = { record: record.fullName, organisation, author, at: at.toISOString(), query };
  return {
    'content-type': contentTypeHeader(contentTypes[format]),
    'content-disposition': contentDisposition('attachment', name),
    'marimo-export': encodeURIComponent(JSON.stringify(described)),
  };
}

async function exportFile(serving: FileServing, call: FileCall) {
  const request = await requestOf(serving, call);
  const body: FileContent = {
    sizeBytes: undefined,
    open: () => inSnapshot(serving.deps, call, (tx) => exportOf(tx, request)),
  };
  return reply(200, body, headersOf(request, request.about.at.toISOString().slice(0, 10)));
}

async function importTemplate(serving: FileServing, call: FileCall) {
  const request = await requestOf(serving, call);
  const body: FileContent = { sizeBytes: undefined, open: async () => templateOf(request) };
  const { 'marimo-export': _, ...headers } = headersOf(
    request,
    request.language === 'ru' ? 'шаблон' : 'template',
  );
  return reply(200, body, headers);
}

/** What is made of one snapshot, once its beginning is there; the transaction ends with the reader or the deadline. */
async function inSnapshot(
  { database }: FileDeps,
  { tenantId, deadlineAt, signal }: FileCall,
  make: (tx: TenantTransaction) => AsyncIterable<Buffer>,
): Promise<Readable> {
  const content = new PassThrough();
  const patience = {
    ms: waitMs,
    refusal: () => new TooManyRequests({ limit: exportsAtOnce }, { retryAfterSeconds: 30 }),
  };
  const time = { deadlineAt, signal };
  limitExports(
    tenantId,
    () =>
      database.inTenant(tenantId, (tx) => pipeline(make(tx), content), {
        ...time,
        readOnly: true,
        isolation: 'repeatable read',
      }),
    patience,
  ).catch((error: unknown) => content.destroy(error as Error));
  await once(content, 'readable');
  return content;
}

async function importFile({ record, options, deps }: FileServing, importer: RecordImporter, call: FileCall) {
  const {
    mode,
    dryRun,
    mapping: name,
  } = call.query as { mode: 'each' | 'all-or-nothing'; dryRun: boolean; mapping?: string };
  const { timeZone } = await deps.organisations.of(call);
  const restriction = options.restrict?.(call) ?? {};
  const mapping = name === undefined ? undefined : await mappingOf(call, record, name);
  const custom = await call.readInTenant((tx) => listCustomColumns(tx, record));
  const reading = {
    record,
    hidden: restriction.hidden ?? [],
    mapping,
    clock: new ZoneClock(timeZone),
    custom,
  };
  const file = await openRecordFile(call.stream as AsyncIterable<Buffer>, call.contentType, reading);
  try {
    if ((await file.countTo(mostRowsInRequest + 1)) > mostRowsInRequest) {
      const input = { mode, dryRun, mapping, timeZone, restriction: plainRestriction(restriction) };
      return reply(202, { jobId: await leaveToJob(deps, record, call, file.bytes(), input) });
    }
    const author = { userId: call.caller.userId, at: deps.clock() };
    const plan = importer.planOf(author, restriction, (permission) => call.caller.may(permission));
    const report = await importRecords(file, plan, {
      mode,
      dryRun,
      inTransaction: (work) => call.inTenant(work),
    });
    const understood = file.understood();
    return reply(200, { ...report, ...(understood !== undefined && { understood }) });
  } finally {
    await file.close();
  }
}

async function mappingOf(call: FileCall, { name: record }: RecordDeclaration, name: string) {
  const found = await call.readInTenant((tx) => getMapping(tx, kebab(record), name));
  return requireFound(found, 'import mapping').columns;
}

/** It is stored with the job, as JSON. */
const plainRestriction = (restriction: Restriction) => JSON.parse(JSON.stringify(restriction));

async function leaveToJob(
  { files, jobs }: FileDeps,
  record: RecordDeclaration,
  call: FileCall,
  content: AsyncIterable<Buffer>,
  input: Omit<ImportJobInput, 'record' | 'fileId' | 'contentType'>,
): Promise<string> {
  const { tenantId, deadlineAt, signal, contentType, caller } = call;
  const sender = { tenantId, userId: caller.userId, deadlineAt, signal };
  const claims = { name: `${kebab(record.name)}-import`, limitBytes: importLimitBytes };
  const { fileId } = await files.receive(sender, content, claims);
  const jobId = newId();
  await call.inTenant(async (tx) => {
    const whole = { ...input, record: record.fullName, fileId, contentType };
    await jobs.enqueue(tx, importRecordsKind(record.service), { jobId, input: whole }, caller);
    // Kept as long as the job, whose owner it is; swept after it.
    await files.attach(tx, fileId, { kind: 'job', id: jobId });
  });
  return jobId;
}

const importLimitBytes = 64 * 1024 * 1024;
