import type { DeclaredRefusal } from '@marimo/problems';
import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { Day } from '../measures.ts';
import { ReversalBeforeOriginal, TotalsOutOfDate } from '../platform/document-refusals.ts';
import type { NumberSeries } from '../platform/number-series.ts';
import { ReferenceUnknown } from '../platform/record-refusals.ts';
import { Absent } from '../platform/refusals.ts';
import { lineOfText } from '../texts.ts';
import labels from './document.labels.json' with { type: 'json' };
import { endpointsOf } from './endpoints.ts';
import { type Derived, derived, type Field, type Fields, reference, text } from './fields.ts';
import {
  declareRecord,
  kebab,
  type RecordDeclaration,
  type RecordSettings,
  type RecordValue,
} from './record.ts';
import { idParams } from './shapes.ts';
import { transitionsOf } from './transitions.ts';

const states = ['draft', 'posted', 'reversed', 'cancelled'] as const;
export type DocumentState = (typeof states)[number];

/** What every document has beside its own fields. */
type DocumentFields = {
  /** Given when it is posted. */
  readonly number: Field<string, string, 'optional'> & Derived;
  readonly reversalOfId: Field<string, string, 'optional'> & Derived;
  readonly reversedById: Field<string, string, 'optional'> & Derived;
  readonly cancelReason: Field<string, string, 'optional'> & Derived;
};

type AllFields<F extends Fields, Totals extends Fields> = F & {
  readonly [K in keyof Totals]: Totals[K] & Derived;
} & DocumentFields;

const cancelBody = z.strictObject({ reason: lineOfText(200) });
const reverseBody = z.strictObject({ date: Day });

type DocumentTransitions = ReturnType<typeof documentTransitions>;

export interface DocumentDeclaration<
  Name extends string = string,
  F extends Fields = Fields,
  Totals extends Fields = Fields,
> extends RecordDeclaration<Name, AllFields<F, Totals>, DocumentState, DocumentTransitions> {
  /** The day of the books: the period of its number follows it. */
  readonly date: keyof F & string;
  readonly series: NumberSeries;
  readonly totals: readonly (keyof Totals & string)[];
}

export type AnyDocument = RecordDeclaration & Pick<DocumentDeclaration, 'date' | 'series' | 'totals'>;
export type DocumentValue<D> =
  D extends DocumentDeclaration<infer Name, infer F, infer Totals>
    ? RecordValue<Name, AllFields<F, Totals>, DocumentState>
    : never;

type OwnSettings<Name extends string, F extends Fields, Totals extends Fields> = Omit<
  RecordSettings<Name, AllFields<F, Totals>, typeof states, DocumentTransitions>,
  'fields' | 'states' | 'transitions'
> & {
  readonly fields: F;
  /** A required day among the fields. */
  readonly date: keyof F & string;
  readonly series: NumberSeries;
  /** Computed from the other fields whenever they change, and stored. */
  readonly totals: Totals;
  /** Refusals of the trade when it is posted, and when it is reversed. */
  readonly postRefusals?: readonly DeclaredRefusal[];
  readonly reverseRefusals?: readonly DeclaredRefusal[];
};

/**
 * Declares a document: a record with a number, lines, stored totals, and the states draft, posted, reversed and cancelled. Its
 * file of labels names its own fields; those of every document have their names here.
 */
export function declareDocument<
  const Name extends string,
  const F extends Fields,
  const Totals extends Fields,
>(settings: OwnSettings<Name, F, Totals>): DocumentDeclaration<Name, F, Totals> {
  const { date, series, totals, postRefusals = [], reverseRefusals = [], ...own } = settings;
  const self = `${own.service}.${kebab(own.name)}` as const;
  const fields = {
    ...own.fields,
    ...Object.fromEntries(Object.entries(totals).map(([name, each]) => [name, derived(each)])),
    number: derived(text(40, { unique: true })),
    reversalOfId: derived(reference(self, { unique: true })), // a document is reversed once
    reversedById: derived(reference(self)),
    cancelReason: derived(text(200)),
  } as unknown as AllFields<F, Totals>;
  const record = declareRecord({
    ...own,
    labels: {
      ...own.labels,
      fields: { ...labels.fields, ...own.labels.fields },
      states: labels.states,
      transitions: labels.transitions,
    },
    fields,
    states,
    transitions: documentTransitions(postRefusals, reverseRefusals),
  });
  return { ...record, date, series, totals: Object.keys(totals) };
}

function documentTransitions(
  postRefusals: readonly DeclaredRefusal[],
  reverseRefusals: readonly DeclaredRefusal[],
) {
  return {
    post: {
      from: ['draft'],
      to: 'posted',
      event: 'posted',
      refusals: [TotalsOutOfDate, ReferenceUnknown, ...postRefusals],
    },
    cancel: { from: ['draft'], to: 'cancelled', event: 'cancelled', body: cancelBody },
    reverse: {
      from: ['posted'],
      to: 'reversed',
      event: 'reversed',
      body: reverseBody,
      refusals: [ReversalBeforeOriginal, ...reverseRefusals],
    },
  } as const;
}

/** The endpoints of a document: those of a record without its archive, its transitions, and a copy. */
export function documentEndpointsOf<
  const Name extends string,
  const F extends Fields,
  const Totals extends Fields,
>(document: DocumentDeclaration<Name, F, Totals>) {
  const { path, idField, permissions, value, labels: texts } = document;
  const { archive: _, restore: __, ...own } = endpointsOf(document);
  return {
    ...own,
    ...transitionsOf(document),
    copy: endpoint({
      method: 'POST',
      path: `${path}/{${idField}}/copy`,
      summary: `Makes a new draft of a day with the content of one of the ${texts.many.en.toLowerCase()}.`,
      access: permissions.create,
      params: idParams<Name>(idField),
      body: z.strictObject({ date: Day }),
      replies: { 201: value },
      refusals: [Absent, ReferenceUnknown],
    }),
  };
}
