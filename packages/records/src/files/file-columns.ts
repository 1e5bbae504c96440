import type { AnyRecord, Field, FieldKind, Fields } from '@marimo/contracts/records';
import type { CellKind, CellValue } from '@marimo/file-export';
import type { Kind } from '@marimo/file-import';
import type { Money, Quantity } from '@marimo/measures';
import type { CustomColumn } from '../custom-fields.ts';
import type { RecordValues } from '../rows.ts';

export type Language = 'en' | 'ru';
type Label = Readonly<Record<Language, string>>;

/** A column of a record's file. */
export interface FileColumn {
  /** `price.amount`; of lines `parts.name`. */
  readonly name: string;
  readonly label: Label;
  /** The field of the record, or of the line, and the part of it. */
  readonly field: string;
  readonly part: string | undefined;
  readonly declared: Field;
  /** The lines it belongs to. */
  readonly lines: string | undefined;
  /** Words that stand for values of a choice. */
  readonly words: Readonly<Record<string, Label>> | undefined;
  readonly readAs: Kind;
  readonly writtenAs: CellKind;
  /** What an import does with it: state is only checked, and what the system keeps is passed over. */
  readonly use: 'written' | 'checked' | 'passed over';
}

/** Columns that nobody but the system writes. */
const kept = ['archived', 'createdAt', 'createdBy', 'changedAt', 'changedBy'];
const standardLabels: Readonly<Record<string, Label>> = {
  state: { en: 'State', ru: 'Состояние' },
  archived: { en: 'Archived', ru: 'В архиве' },
  createdAt: { en: 'Created at', ru: 'Создано' },
  createdBy: { en: 'Created by', ru: 'Кем создано' },
  changedAt: { en: 'Changed at', ru: 'Изменено' },
  changedBy: { en: 'Changed by', ru: 'Кем изменено' },
};

/** All columns that a file of the record can have, in their order. Fields that somebody may not see have none. */
export function fileColumns(
  record: AnyRecord,
  custom: readonly CustomColumn[],
  hidden: readonly string[] = [],
): FileColumn[] {
  const { labels, grammar, states, idField } = record;
  const id = column(idField, idKind, { en: 'ID', ru: 'ИД' });
  const own = Object.entries(record.fields as Fields).flatMap(([name, field]) => {
    const label = labels.fields[name] ?? { en: name, ru: name };
    return field.kind === 'lines'
      ? lineColumns(name, field, label)
      : columnsOf(name, field, label, label.options);
  });
  const standard = ['state', ...kept].flatMap((name) => {
    const field = grammar.fields[name];
    const use = name === 'state' ? 'checked' : 'passed over';
    if (field === undefined || (name === 'state' && states.length === 0)) return [];
    return [
      {
        ...column(name, field, labelOf(name)),
        use,
        words: name === 'state' ? labels.states : undefined,
      } as const,
    ];
  });
  const added = custom.map(({ name, label, declared }) => ({
    ...column(`custom.${name}`, declared, label),
    field: 'custom',
    part: name,
  }));
  const all = [id, ...own, ...added, ...standard];
  return all.filter(({ field, lines }) => !hidden.includes(lines ?? field));
}

const labelOf = (name: string): Label => standardLabels[name] ?? { en: name, ru: name };
const idKind = { kind: 'reference' } as Field;

function lineColumns(
  lines: string,
  { fields = {} }: Field,
  label: Label & { fields?: Readonly<Record<string, Label>> | undefined },
): FileColumn[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = label.fields?.[name] ?? { en: name, ru: name };
    const whole = { en: `${label.en}: ${inner.en}`, ru: `${label.ru}: ${inner.ru}` };
    return columnsOf(name, field, whole).map((each) => ({ ...each, name: `${lines}.${each.name}`, lines }));
  });
}

const partsOf: Partial<Record<FieldKind, Readonly<Record<string, Label | null>>>> = {
  money: { amount: null, currency: { en: 'currency', ru: 'валюта' } },
  quantity: { value: null, unit: { en: 'unit', ru: 'ед. изм.' } },
  address: {
    country: { en: 'country', ru: 'страна' },
    postalCode: { en: 'postal code', ru: 'индекс' },
    region: { en: 'region', ru: 'регион' },
    city: { en: 'city', ru: 'город' },
    street: { en: 'street', ru: 'улица' },
  },
};

function columnsOf(
  name: string,
  field: Field,
  label: Label,
  words?: Readonly<Record<string, Label>>,
): FileColumn[] {
  const parts = partsOf[field.kind];
  if (parts === undefined) return [{ ...column(name, field, label), words }];
  return Object.entries(parts).map(([part, suffix]) => ({
    ...column(`${name}.${part}`, field, {
      en: suffix === null ? label.en : `${label.en}, ${suffix.en}`,
      ru: suffix === null ? label.ru : `${label.ru}, ${suffix.ru}`,
    }),
    field: name,
    part,
    ...(part === 'amount' || part === 'value'
      ? ({ readAs: 'amount', writtenAs: 'amount' } as const)
      : ({ readAs: 'text', writtenAs: 'text' } as const)),
  }));
}

function column(name: string, declared: Field, label: Label): FileColumn {
  const [readAs, writtenAs] = cellKinds[declared.kind] ?? ['text', 'text'];
  return {
    name,
    label,
    field: name,
    part: undefined,
    declared,
    lines: undefined,
    words: undefined,
    readAs,
    writtenAs,
    use: declared.isDerived ? 'passed over' : 'written',
  };
}

const cellKinds: Partial<Record<FieldKind, readonly [Kind, CellKind]>> = {
  day: ['day', 'day'],
  instant: ['moment', 'moment'],
  flag: ['flag', 'flag'],
  wholeNumber: ['amount', 'number'],
  decimal: ['amount', 'number'],
  percent: ['amount', 'number'],
};

type Shown = (
  value: unknown,
  column: FileColumn,
  language: Language,
  shown: ReadonlyMap<string, string>,
) => CellValue;

const writers: Partial<Record<FieldKind, Shown>> = {
  money: (value, { part }) => (part === 'amount' ? (value as Money).toText() : (value as Money).currency),
  quantity: (value, { part }) => (part === 'value' ? (value as Quantity).toText() : (value as Quantity).unit),
  address: (value, { part = '' }) => ((value as RecordValues)[part] as string | null) ?? null,
  tags: (value) => (value as string[]).join(', ') || null,
  reference: (value, _, __, shown) => shown.get(value as string) ?? (value as string),
  wholeNumber: (value) => (value as number).toString(),
  choice: (value, { words }, language) => words?.[value as string]?.[language] ?? (value as string),
};

/** What a column shows of a record or a line. `shown`: what people call the records that are referred to, by id. */
export function cellOf(
  column: FileColumn,
  values: RecordValues,
  language: Language,
  shown: ReadonlyMap<string, string>,
): CellValue {
  const { field, part = '', declared } = column;
  const value = field === 'custom' ? (values['custom'] as RecordValues | undefined)?.[part] : values[field];
  if (value === null || value === undefined) return null;
  const write = writers[declared.kind];
  return write === undefined ? (value as CellValue) : write(value, column, language, shown);
}
