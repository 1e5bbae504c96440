import type { z } from 'zod';

type Json = z.infer<ReturnType<typeof z.json>>;

/** Shown in the OpenAPI page as well, so that clients know what they hold. */
const mark = 'x-personal-data';

/**
 * Marks a field that identifies a person or a device of theirs: a name, an e-mail, a network address, a user agent.
 * What reads the mark: the audit leaves the field out, logs redact it, export and erasure are tested against it.
 *
 * Source: docs/domain/identity.md#personal-data
 */
export function personal<S extends z.ZodType>(schema: S): S {
  return schema.meta({ ...schema.meta(), [mark]: true });
}

export function isPersonal(schema: z.ZodType): boolean {
  return schema.meta()?.[mark] === true;
}

/** `personal`: the contract marks it. `undeclared`: the contract does not know it, so it may be anything. */
export type Hidden = 'personal' | 'undeclared';

/**
 * A copy of wire data in which `replace` stands for each value that the schema marks as personal or does not declare.
 * A value that is absent (null) stays.
 */
export function replacePersonal(
  schema: z.ZodType | undefined,
  json: Json,
  replace: (value: Json, why: Hidden) => Json,
): Json {
  if (json === null) return null;
  if (schema === undefined) return replace(json, 'undeclared');
  if (isPersonal(schema)) return replace(json, 'personal');
  const inside = partsOf(schema);
  const copy = (part: z.ZodType | undefined, value: Json) => replacePersonal(part, value, replace);
  if (inside.same) return copy(inside.same, json);
  if (inside.options) return copy(optionFor(inside.options, json), json);
  if (Array.isArray(json))
    return inside.items ? json.map((item) => copy(inside.items, item)) : replace(json, 'undeclared');
  if (typeof json !== 'object') return inside.isPlain ? json : replace(json, 'undeclared');
  const fields = inside.fields;
  if (!fields) return replace(json, 'undeclared');
  // Object.fromEntries defines properties, so a key named __proto__ stays data.
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, copy(fields(key), value)]));
}

export interface Field {
  /** `items[].holder.name` */
  readonly path: string;
  readonly isPersonal: boolean;
  /** The zod type at the end: `string`, `enum`, `unknown`… */
  readonly type: string;
}

/** Every value that data of the schema can hold; what is marked is one field, whatever is inside. */
export function fieldsOf(schema: z.ZodType, path = '', above: readonly z.ZodType[] = []): Field[] {
  if (above.includes(schema)) return [];
  const { def } = schema as unknown as { def: Definition };
  if (isPersonal(schema)) return [{ path, isPersonal: true, type: def.type }];
  const inside = partsOf(schema);
  const of = (part: z.ZodType, at = path) => fieldsOf(part, at, [...above, schema]);
  if (inside.same) return of(inside.same);
  if (inside.options) return inside.options.flatMap((option) => of(option));
  if (inside.items) return of(inside.items, `${path}[]`);
  if (def.valueType) return of(def.valueType, `${path}{}`);
  if (def.shape)
    return Object.entries(def.shape).flatMap(([key, part]) => of(part, path ? `${path}.${key}` : key));
  return [{ path, isPersonal: false, type: def.type }];
}

/** What zod says of a schema, as far as it matters here. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly getter?: () => z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly valueType?: z.ZodType;
}

interface Parts {
  readonly same?: z.ZodType | undefined;
  readonly options?: readonly z.ZodType[] | undefined;
  readonly items?: z.ZodType | undefined;
  readonly fields?: ((key: string) => z.ZodType | undefined) | undefined;
  readonly isPlain?: boolean;
}

const plainTypes = ['string', 'number', 'int', 'boolean', 'enum', 'literal', 'bigint', 'template_literal'];

function partsOf(schema: z.ZodType): Parts {
  const { def } = schema as unknown as { def: Definition };
  const { shape, valueType } = def;
  if (shape) return { fields: (key) => (Object.hasOwn(shape, key) ? shape[key] : undefined) };
  if (valueType) return { fields: () => valueType };
  return {
    same: def.innerType ?? def.in ?? def.getter?.(),
    options: def.options,
    items: def.element,
    isPlain: plainTypes.includes(def.type),
  };
}

function optionFor(options: readonly z.ZodType[], json: Json): z.ZodType | undefined {
  return options.find((option) => option.safeParse(json).success);
}
