import type { DeclaredRefusal } from '@marimo/problems';
import { z } from 'zod';
import { Id } from '../ids.ts';
import { type Permission, permission } from '../permission.ts';
import type { ServiceName } from '../services.ts';
import {
  choice,
  type DraftOf,
  draftShape,
  type Fields,
  flag,
  instant,
  type PatchOf,
  patchShape,
  reference,
  type ValuesOf,
  valueShape,
} from './fields.ts';
import type { RecordLabels } from './labels.ts';
import type { ListGrammar } from './list-query.ts';

/** From one state to another, by its own endpoint, permission and event. */
export interface Transition<State extends string = string> {
  readonly from: readonly State[];
  readonly to: State;
  /** Past tense, as the event says it: `released`. */
  readonly event: string;
  /** What must be said with it, such as a reason; nothing unless told. */
  readonly body?: z.ZodType;
  /** Refusals of the trade. */
  readonly refusals?: readonly DeclaredRefusal[];
}

export type Transitions = Readonly<Record<string, Transition>>;

export interface RecordSettings<
  Name extends string,
  F extends Fields,
  States extends readonly string[],
  T extends Readonly<Record<string, Transition<States[number]>>>,
> {
  readonly service: ServiceName;
  /** One of them, as code writes it: `workCentre`. */
  readonly name: Name;
  /** Many, as the path writes it: `work-centres`. */
  readonly plural: string;
  /** Texts for people, from the JSON file beside the contract. */
  readonly labels: RecordLabels;
  readonly fields: F;
  /** Fields by which people know it; together unique in the organisation. An import finds by them what is there already. */
  readonly key?: readonly (keyof F & string)[];
  /** Text fields that `text=` looks through: in any form of a word, its beginning, or with a typing error. */
  readonly searched?: readonly (keyof F & string)[];
  readonly filtered?: readonly (keyof F & string)[];
  /** At most four, each with its index: `code`, `-postingDate,number`. The first is the usual one. */
  readonly sorts: readonly string[];
  readonly grouped?: readonly ((keyof F & string) | 'state' | 'createdAt')[];
  /** Numbers, money and quantities that a summary adds up. */
  readonly summed?: readonly (keyof F & string)[];
  /** The first is that of a new record. */
  readonly states?: States;
  readonly transitions?: T;
  /** Organisations may add fields of their own. */
  readonly customFields?: true;
  /** Refusals of the trade when a record is created or changed. */
  readonly refusals?: readonly DeclaredRefusal[];
}

/** What every record has beside its own fields. */
const standardFields = {
  archived: flag(),
  createdAt: instant({ required: true }),
  createdBy: reference('users.person', { required: true }),
  changedAt: instant({ required: true }),
  changedBy: reference('users.person', { required: true }),
};
const filteredAnyway = ['archived', 'createdAt', 'createdBy', 'changedAt'];

export interface StandardValues {
  readonly version: number;
  readonly archived: boolean;
  readonly createdAt: Date;
  /** The person, or the service account. */
  readonly createdBy: string;
  readonly changedAt: Date;
  readonly changedBy: string;
}

type IdOf<Name extends string> = `${Name}Id`;

/** A record in code. */
export type RecordValue<Name extends string, F extends Fields, State extends string> = {
  readonly [K in IdOf<Name>]: string;
} & ValuesOf<F> &
  ([State] extends [never] ? unknown : { readonly state: State }) &
  StandardValues & { readonly custom?: CustomValues };

export type CustomValues = Readonly<Record<string, string | number | boolean | null>>;

type CreateOf<Name extends string, F extends Fields, Side extends 'in' | 'out'> = DraftOf<F, Side> & {
  readonly [K in IdOf<Name>]?: string | undefined;
} & { readonly custom?: CustomValues | undefined };
type ChangeOf<F extends Fields, Side extends 'in' | 'out'> = PatchOf<F, Side> & {
  readonly custom?: CustomValues | undefined;
};

/** All that a declaration says, with what follows from it. */
export interface RecordDeclaration<
  Name extends string = string,
  F extends Fields = Fields,
  State extends string = string,
  T extends Transitions = Transitions,
> {
  readonly isRecord: true;
  readonly service: ServiceName;
  readonly name: Name;
  /** `<service>.<name>`, by which references name it. */
  readonly fullName: string;
  readonly labels: RecordLabels;
  /** `/api/v1/<service>/<plural>` */
  readonly path: string;
  /** Its table, in the schema of the service. */
  readonly table: string;
  readonly idField: IdOf<Name>;
  readonly fields: F;
  readonly key: readonly string[];
  readonly searched: readonly string[];
  readonly grouped: readonly string[];
  readonly summed: readonly string[];
  readonly states: readonly State[];
  readonly transitions: T;
  readonly hasCustomFields: boolean;
  readonly refusals: readonly DeclaredRefusal[];
  /** With the standard fields among its fields. */
  readonly grammar: ListGrammar;
  readonly permissions: { readonly [A in 'read' | 'create' | 'change' | (keyof T & string)]: Permission };
  /** The whole record. */
  readonly value: z.ZodType<RecordValue<Name, F, State>>;
  readonly draft: z.ZodType<CreateOf<Name, F, 'out'>, CreateOf<Name, F, 'in'>>;
  readonly patch: z.ZodType<ChangeOf<F, 'out'>, ChangeOf<F, 'in'>>;
  /** In a list, which may leave fields out and never has lines. */
  readonly listed: z.ZodType<RecordValue<Name, F, State>>;
}

export type AnyRecord = RecordDeclaration;

const Custom = z.record(
  z.string().regex(/^[a-z][a-zA-Z0-9]{0,39}$/),
  z.union([z.string().max(2_000), z.number(), z.boolean(), z.null()]),
);

/** Declares a record: from it come its endpoints, events, permissions, pages, files and history. */
export function declareRecord<
  const Name extends string,
  const F extends Fields,
  const States extends readonly string[] = [],
  const T extends Readonly<Record<string, Transition<States[number]>>> = Readonly<Record<never, never>>,
>(settings: RecordSettings<Name, F, States, T>): RecordDeclaration<Name, F, States[number], T> {
  const { service, name, plural, fields, states = [], sorts, customFields = false } = settings;
  const { key = [], searched = [], filtered = [], grouped = [], summed = [], refusals = [] } = settings;
  const transitions = (settings.transitions ?? {}) as T;
  const allFields = { ...fields, ...stateField(states), ...standardFields };
  const idField: IdOf<Name> = `${name}Id`;
  const grammar: ListGrammar = {
    fields: allFields,
    filtered: [...filtered, ...(states.length > 0 ? ['state'] : []), ...filteredAnyway],
    sorts,
    isSearched: searched.length > 0,
    hasCustomFields: customFields,
  };
  const custom = customFields ? { custom: Custom } : {};
  const shape = { ...valueShape(allFields), version: z.int(), ...custom };
  const value = z.strictObject({ [idField]: Id, ...shape });
  const withoutLines = Object.entries(shape).filter(([field]) => fields[field]?.kind !== 'lines');
  const listed = z.strictObject({
    [idField]: Id,
    ...Object.fromEntries(withoutLines.map(([field, schema]) => [field, schema.optional()])),
    version: z.int(),
  });
  const maybe = customFields ? { custom: Custom.optional() } : {};
  return {
    isRecord: true,
    service,
    name,
    fullName: `${service}.${kebab(name)}`,
    labels: settings.labels,
    path: `/api/v1/${service}/${plural}`,
    table: kebab(name).replaceAll('-', '_'),
    idField,
    fields,
    key,
    searched,
    grouped,
    summed,
    states: states as readonly States[number][],
    transitions,
    hasCustomFields: customFields,
    refusals,
    grammar,
    permissions: permissionsOf(service, name, settings.labels, transitions),
    value: typed(value),
    draft: typed(z.strictObject({ [idField]: Id.optional(), ...draftShape(fields), ...maybe })),
    patch: typed(z.strictObject({ ...patchShape(fields), ...maybe })),
    listed: typed(listed),
  };
}

/** The shapes are built field by field; what they come to, the types above say. */
function typed<T extends z.ZodType>(schema: z.ZodType): T {
  return schema as T;
}

function stateField(states: readonly string[]): Fields {
  return states.length === 0 ? {} : { state: choice(states as [string, ...string[]], { required: true }) };
}

function permissionsOf<T extends Transitions>(
  service: ServiceName,
  name: string,
  { many, transitions: texts = {} }: RecordLabels,
  transitions: T,
): RecordDeclaration<string, Fields, string, T>['permissions'] {
  const of = (action: string, en: string, ru: string) =>
    permission(`${service}.${kebab(name)}.${kebab(action)}`, {
      en: `${many.en}: ${en.toLowerCase()}`,
      ru: `${many.ru}: ${ru.toLowerCase()}`,
    });
  const moves = Object.keys(transitions).map((action) => {
    const { en, ru } = texts[action] ?? { en: action, ru: action };
    return [action, of(action, en, ru)] as const;
  });
  return {
    read: of('read', 'view', 'просмотр'),
    create: of('create', 'add and import', 'добавление и загрузка'),
    change: of('change', 'change and archive', 'изменение и архивирование'),
    ...Object.fromEntries(moves),
  } as RecordDeclaration<string, Fields, string, T>['permissions'];
}

/** `workCentre` becomes `work-centre`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What a list can show: all but lines. */
export function listedFields({
  grammar,
  hasCustomFields,
}: Pick<AnyRecord, 'grammar' | 'hasCustomFields'>): string[] {
  const own = Object.keys(grammar.fields).filter((name) => grammar.fields[name]?.kind !== 'lines');
  return hasCustomFields ? [...own, 'custom'] : own;
}
