import { z } from 'zod';
import { type EndpointDefinition, endpoint } from '../endpoint.ts';
import { type EventDefinition, event } from '../event.ts';
import type { Permission } from '../permission.ts';
import { RecordArchived, StateUnfit } from '../platform/record-refusals.ts';
import { Absent, Stale } from '../platform/refusals.ts';
import type { Fields } from './fields.ts';
import {
  kebab,
  type RecordDeclaration,
  type RecordValue,
  type Transition,
  type Transitions,
} from './record.ts';
import { idParams } from './shapes.ts';

/** An endpoint for each transition, by its name: `POST /x/{id}/release`. */
export function transitionsOf<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>) {
  const { path, idField, value, permissions, transitions } = record;
  const params = idParams<Name>(idField);
  const made = Object.entries(transitions).map(([action, { to, body, refusals = [] }]) => [
    action,
    endpoint({
      method: 'POST',
      path: `${path}/{${idField}}/${kebab(action)}`,
      summary: `${record.labels.transitions?.[action]?.en ?? action}: ${record.labels.one.en.toLowerCase()} becomes ${to}.`,
      access: permissions[action as keyof T & string],
      params,
      body: body ?? z.strictObject({}).optional(),
      replies: { 200: value },
      refusals: [Absent, Stale, StateUnfit, RecordArchived, ...refusals],
    }),
  ]);
  return Object.fromEntries(made) as {
    readonly [Action in keyof T]: TransitionEndpoint<Name, F, State, BodyOf<T[Action]>>;
  };
}

type Nothing = z.ZodOptional<z.ZodObject<Record<never, never>, z.core.$strict>>;
type BodyOf<T extends Transition> = T extends { readonly body: infer Body extends z.ZodType }
  ? Body
  : Nothing;

export type TransitionEndpoint<
  Name extends string,
  F extends Fields,
  State extends string,
  Body extends z.ZodType,
> = EndpointDefinition<
  z.ZodType<{ readonly [K in `${Name}Id`]: string }>,
  z.ZodNever,
  Body,
  { readonly 200: z.ZodType<RecordValue<Name, F, State>> },
  Permission
>;

/** `created`, `changed` (also archived and restored), and one for each transition, by what it is called. */
export function eventsOf<
  const Name extends string,
  const F extends Fields,
  const State extends string,
  const T extends Transitions,
>(record: RecordDeclaration<Name, F, State, T>): EventsOf<Name, F, State, T> {
  const { service, name, value, transitions } = record;
  const of = (what: string) => event(`${service}.${kebab(name)}-${kebab(what)}.v1`, value);
  const moved = Object.values(transitions).map(({ event: what }) => [what, of(what)]);
  const events: unknown = { ...Object.fromEntries(moved), created: of('created'), changed: of('changed') };
  return events as EventsOf<Name, F, State, T>;
}

export type EventsOf<Name extends string, F extends Fields, State extends string, T extends Transitions> = {
  readonly [What in 'created' | 'changed' | T[keyof T]['event']]: EventDefinition<
    z.ZodType<RecordValue<Name, F, State>>
  >;
};
