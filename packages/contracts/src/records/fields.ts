import { parseDecimal } from '@marimo/measures';
import { z } from 'zod';
import { Id } from '../ids.ts';
import { Day, Instant, MoneyOnWire, QuantityOnWire } from '../measures.ts';
import { personal } from '../personal.ts';
import { lineOfText, textOfLines } from '../texts.ts';

export type FieldKind =
  | 'text'
  | 'longText'
  | 'choice'
  | 'day'
  | 'instant'
  | 'flag'
  | 'wholeNumber'
  | 'decimal'
  | 'money'
  | 'quantity'
  | 'percent'
  | 'email'
  | 'phone'
  | 'address'
  | 'reference'
  | 'lines'
  | 'tags';

/** `defaulted`: may be left out when a record is created, and is never absent afterwards. */
export type Presence = 'required' | 'optional' | 'defaulted';

/** What a field says beside its kind. */
export interface FieldSettings<In = unknown> {
  readonly required?: true;
  /** As it stands on the wire; the field may then be left out when a record is created. */
  readonly default?: In;
  /** Among the records of the organisation, archived ones included. */
  readonly unique?: true;
  /** Given at creation only (`true`), or fixed in these states. */
  readonly fixed?: true | readonly string[];
  /** Identifies a person: kept out of history, audit and logs. */
  readonly personal?: true;
}

/** One field of a record: what a value of it is, on the wire (`In`) and in code (`Out`). */
export interface Field<Out = unknown, In = unknown, P extends Presence = Presence> extends FieldSettings<In> {
  readonly kind: FieldKind;
  readonly schema: z.ZodType<Out, In>;
  readonly presence: P;
  /** Of a choice. */
  readonly options?: readonly string[];
  /** Of a reference: `<service>.<record>`. */
  readonly to?: string;
  /** Of lines: their own fields. */
  readonly fields?: Fields;
  /** Set by the service; callers cannot send it. */
  readonly isDerived?: true;
}

export type Fields = Readonly<Record<string, Field>>;

type PresenceOf<S> = S extends { readonly default: unknown }
  ? 'defaulted'
  : S extends { readonly required: true }
    ? 'required'
    : 'optional';

/** A line of text. `longest` in UTF-16 code units. */
export function text<const S extends FieldSettings<string>>(longest: number, settings: S = {} as S) {
  return field('text', lineOfText(longest), settings);
}

/** Text of several lines. */
export function longText<const S extends FieldSettings<string>>(longest: number, settings: S = {} as S) {
  return field('longText', textOfLines(longest), settings);
}

export function choice<
  const O extends readonly [string, ...string[]],
  const S extends FieldSettings<O[number]>,
>(options: O, settings: S = {} as S) {
  return { ...field('choice', z.enum(options), settings), options };
}

/** A day of the books, without a zone. */
export function day<const S extends FieldSettings<string>>(settings: S = {} as S) {
  return field('day', Day, settings);
}

export function instant<const S extends FieldSettings<string>>(settings: S = {} as S) {
  const schema = Instant.refine(hasYearOfFourDigits, { error: 'must lie between the years 1 and 9999' });
  return field('instant', schema, settings);
}

/** Beyond, JSON writes years in a way that PostgreSQL does not read. */
function hasYearOfFourDigits(moment: Date): boolean {
  const year = moment.getUTCFullYear();
  return year >= 1 && year <= 9_999;
}

/** Yes or no; no unless told. */
export function flag<const S extends Omit<FieldSettings<boolean>, 'required'>>(settings: S = {} as S) {
  return field('flag', z.boolean(), { default: false, ...settings });
}

export function wholeNumber<
  const S extends FieldSettings<number> & { readonly min?: number; readonly max?: number },
>(settings: S = {} as S) {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = settings;
  return field('wholeNumber', z.int().min(min).max(max), settings);
}

/** An exact number, decimal text in code too. `decimals`: at most so many behind the point. */
export function decimal<const S extends FieldSettings<string>>(decimals: number, settings: S = {} as S) {
  return field('decimal', decimalText(decimals), settings);
}

/** `"20"` is twenty per cent. */
export function percent<const S extends FieldSettings<string>>(settings: S = {} as S) {
  return field('percent', decimalText(4), settings);
}

export function money<const S extends FieldSettings<z.input<typeof MoneyOnWire>>>(settings: S = {} as S) {
  return field('money', MoneyOnWire, settings);
}

export function quantity<const S extends FieldSettings<z.input<typeof QuantityOnWire>>>(
  settings: S = {} as S,
) {
  return field('quantity', QuantityOnWire, settings);
}

export function email<const S extends FieldSettings<string>>(settings: S = {} as S) {
  return field('email', z.email().max(254), settings);
}

/** As people write it: digits with `+`, spaces, brackets and hyphens, and an extension. */
export function phone<const S extends FieldSettings<string>>(settings: S = {} as S) {
  const schema = lineOfText(40).regex(/^\+?[\d\s().-]{3,}(?:\s*(?:ext\.?|доб\.?)\s*\d{1,6})?$/i, {
    error: 'must be a telephone number such as +7 495 123-45-67',
  });
  return field('phone', schema, settings);
}

/** A postal address. `country`: ISO 3166-1 alpha-2. */
export const Address = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/, { error: 'must be an ISO 3166 country code such as RU' }),
  postalCode: lineOfText(20).nullable().default(null),
  region: lineOfText(200).nullable().default(null),
  city: lineOfText(200).nullable().default(null),
  street: lineOfText(500).nullable().default(null),
});
export type Address = z.output<typeof Address>;

export function address<const S extends FieldSettings<z.input<typeof Address>>>(settings: S = {} as S) {
  return field('address', Address, settings);
}

/** The id of a record of this or another service: `reference('main.unit')`. */
export function reference<const S extends FieldSettings<string>>(
  to: `${string}.${string}`,
  settings: S = {} as S,
) {
  return { ...field('reference', Id, settings), to };
}

const mostTags = 50;

export function tags<const S extends Omit<FieldSettings<string[]>, 'required'>>(settings: S = {} as S) {
  const schema = z
    .array(lineOfText(50).regex(/^[^,]*$/, { error: 'must not contain a comma' }))
    .max(mostTags)
    .overwrite((given) => [...new Set(given)]);
  return field('tags', schema, { default: [], ...settings });
}

/** Lines with fields of their own, in the order given. Each has a `lineId`, which the caller may choose. */
export function lines<const F extends Fields, const S extends { readonly most?: number }>(
  fields: F,
  settings: S = {} as S,
): Field<LineOf<F>[], LineDraftOf<F>[], 'defaulted'> {
  const { most = 1_000 } = settings;
  const line = z.strictObject({ lineId: Id.optional(), ...draftShape(fields) });
  const all = z.array(line).max(most).refine(areDistinct, { error: 'must name each lineId once' });
  const schema = all as unknown as z.ZodType<LineOf<F>[], LineDraftOf<F>[]>;
  return { ...field('lines', schema, { default: [] as LineDraftOf<F>[] }), fields };
}

function areDistinct(given: readonly { readonly lineId?: string | undefined }[]): boolean {
  const named = given.flatMap(({ lineId }) => lineId ?? []);
  return new Set(named).size === named.length;
}

export type LineOf<F extends Fields> = { readonly lineId: string } & ValuesOf<F>;
export type LineDraftOf<F extends Fields> = { readonly lineId?: string } & DraftOf<F, 'in'>;

/** A field that the service sets and callers cannot send, such as the total of a document. */
export function derived<F extends Field>(given: F): F & Derived {
  return { ...given, isDerived: true };
}

export interface Derived {
  readonly isDerived: true;
}

/** The fields of a record in code. */
export type ValuesOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer Out, infer _, infer P>
    ? P extends 'optional'
      ? Out | null
      : Out
    : never;
};

type Wire<F, Side> =
  F extends Field<infer Out, infer In, infer P>
    ? (Side extends 'in' ? In : Out) | (P extends 'optional' ? null : never)
    : never;
type KeysOf<F extends Fields, P extends Presence> = {
  [K in keyof F]: F[K] extends Derived
    ? never
    : F[K] extends Field<infer _O, infer _I, infer Q>
      ? Q extends P
        ? K
        : never
      : never;
}[keyof F];

/** What creates a record: `in` as it is sent, `out` as it arrives, with its defaults. */
export type DraftOf<F extends Fields, Side extends 'in' | 'out' = 'out'> = Side extends 'in'
  ? { readonly [K in KeysOf<F, 'required'>]: Wire<F[K], 'in'> } & {
      readonly [K in KeysOf<F, 'optional' | 'defaulted'>]?: Wire<F[K], 'in'> | undefined;
    }
  : { readonly [K in keyof ValuesOf<F> as F[K] extends Derived ? never : K]: ValuesOf<F>[K] };

/** The body of a change: any subset of the fields. */
export type PatchOf<F extends Fields, Side extends 'in' | 'out' = 'out'> = {
  readonly [K in keyof F as F[K] extends Derived ? never : K]?: Wire<F[K], Side> | undefined;
};

export function draftShape(fields: Fields): Record<string, z.ZodType> {
  return mapFields(sentFields(fields), (each) => {
    if (each.presence === 'required') return each.schema;
    if (each.presence === 'defaulted') return each.schema.prefault(each.default);
    return each.default === undefined ? nullable(each).default(null) : nullable(each);
  });
}

export function valueShape(fields: Fields): Record<string, z.ZodType> {
  return mapFields(fields, (each) => {
    if (each.kind !== 'lines' || each.fields === undefined) return valueSchema(each);
    return z.array(z.strictObject({ lineId: Id, ...valueShape(each.fields) }));
  });
}

export function patchShape(fields: Fields): Record<string, z.ZodType> {
  return mapFields(sentFields(fields), (each) => valueSchema(each).optional());
}

/** Those that a caller can send. */
function sentFields(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, { isDerived }]) => !isDerived));
}

const valueSchema = (each: Field) => (each.presence === 'optional' ? nullable(each) : each.schema);
const nullable = (each: Field) => each.schema.nullable();

function mapFields<R>(fields: Fields, map: (each: Field) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, map(each)]));
}

function field<Out, In, const S extends FieldSettings<In>>(
  kind: FieldKind,
  schema: z.ZodType<Out, In>,
  settings: S,
): Field<Out, In, PresenceOf<S>> {
  const { required, default: preset } = settings;
  const presence = preset !== undefined ? 'defaulted' : required ? 'required' : 'optional';
  return {
    ...settings,
    kind,
    schema: settings.personal ? personal(schema) : schema,
    presence: presence as PresenceOf<S>,
  };
}

function decimalText(decimals: number) {
  return z
    .string({ error: 'must be decimal text in quotes, such as "3.5"; a JSON number loses digits' })
    .max(50)
    .refine((given) => isDecimal(given, decimals), {
      error: `must be a decimal number with at most ${decimals} decimals, such as "3.5"`,
      abort: true,
    })
    .overwrite((given) => (given.includes('.') ? given.replace(/\.?0+$/, '') : given)); // one writing for one number
}

function isDecimal(given: string, decimals: number): boolean {
  try {
    parseDecimal(given, decimals);
    return true;
  } catch {
    return false;
  }
}
