import { createHash } from 'node:crypto';
import type { AnyEndpoint } from '@marimo/contracts';
import { Absent } from '@marimo/contracts';
import type { AnyRecord } from '@marimo/contracts/records';
import { contentDisposition } from '@marimo/files';
import type { TenantTransaction } from '@marimo/postgres';
import {
  type Deps,
  etagOf,
  handle,
  type OrganisationFacts,
  type Route,
  reply,
  type SignedInCall,
} from '@marimo/service-kit';
import type { Language, Template } from './form.ts';
import type { Printer } from './printer.ts';

/** What the contract's module says of printing: the declaration and its endpoints. */
interface PrintModule {
  readonly record: Pick<AnyRecord, 'idField' | 'labels'>;
  readonly print: AnyEndpoint;
  readonly printMany: AnyEndpoint;
}

export interface PrintOptions<Data> {
  readonly printer: Printer;
  /** Everything that the forms show of one record; undefined where there is none, or the caller may not see it. */
  load(
    tx: TenantTransaction,
    id: string,
    seen: { readonly organisation: OrganisationFacts; readonly call: SignedInCall },
  ): Promise<Data | undefined>;
  /** By the names that the contract offers. */
  readonly forms: Readonly<Record<string, Template<Data>>>;
}

interface Wanted {
  readonly form: string;
  readonly language?: Language | undefined;
}

/** Serves the printed forms of a record: one, or up to a hundred in one file. */
export function printRoutes<Data>(
  { record, print, printMany }: PrintModule,
  options: PrintOptions<Data>,
  deps: Pick<Deps, 'organisations'>,
): Route[] {
  const sendOne = async (call: SignedInCall) => {
    const { [record.idField]: id } = call.params as Record<string, string>;
    return sendForms(call, [id as string], call.query as Wanted);
  };
  const sendMany = async (call: SignedInCall) => {
    const { ids, ...wanted } = call.body as unknown as Wanted & { readonly ids: readonly string[] };
    return sendForms(call, ids, wanted);
  };
  async function sendForms(call: SignedInCall, ids: readonly string[], wanted: Wanted) {
    const organisation = await deps.organisations.of(call);
    const { language = organisation.language } = wanted;
    const template = options.forms[wanted.form] as Template<Data>;
    const forms = await call.readInTenant(async (tx) => {
      const made = [];
      for (const id of ids) {
        const data = await options.load(tx, id, { organisation, call });
        if (data === undefined) throw new Absent({ resource: `${record.labels.one.en.toLowerCase()} ${id}` });
        made.push(template(data, language));
      }
      return made;
    });
    const [first] = forms;
    const title = forms.length === 1 ? (first?.title ?? '') : record.labels.many[language];
    return pdfReply(title, await options.printer.print(forms));
  }
  return [
    handle(print, (call) => sendOne(call as never)),
    handle(printMany, (call) => sendMany(call as never)),
  ];
}

function pdfReply(title: string, pdf: Uint8Array) {
  const content = {
    sizeBytes: pdf.byteLength,
    async open({ first, last } = { first: 0, last: pdf.byteLength - 1 }) {
      return (async function* () {
        yield pdf.subarray(first, last + 1);
      })();
    },
  };
  const etag = etagOf(createHash('sha256').update(pdf).digest('base64url'));
  return reply(200, content, {
    'content-type': 'application/pdf',
    'content-disposition': contentDisposition('inline', `${title}.pdf`),
    etag,
  }) as never;
}
