import type {
  BodyInputOf,
  EndpointDefinition,
  ForServices,
  ParamsInputOf,
  QueryInputOf,
  ReplyOf,
} from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import type { z } from 'zod';

/** An endpoint that services may call for themselves. */
export type SagaCommand = EndpointDefinition<
  z.ZodType,
  z.ZodType,
  z.ZodType,
  Readonly<Record<number, z.ZodType>>,
  ForServices
>;

type Part<Name extends string, T> = T extends undefined
  ? { readonly [K in Name]?: undefined }
  : { readonly [K in Name]: T };

/** What a command is sent. */
export type CommandRequest<E> = Part<'params', ParamsInputOf<E>> &
  Part<'query', QueryInputOf<E>> &
  Part<'body', BodyInputOf<E>>;

/** A saga as its steps see it. */
export interface SagaView<Input> {
  readonly sagaId: string;
  readonly tenantId: string;
  /** The person or service account that stands as author. */
  readonly startedBy: string | undefined;
  readonly input: Input;
  /** What an earlier step's command replied; throws where that step has not been done. */
  replyOf<E extends SagaCommand>(step: string, command: E): ReplyOf<E>['body'];
  /** What an earlier local step returned. */
  resultOf<S extends z.ZodType>(step: string, schema: S): z.output<S>;
}

/**
 * `'nothing'`: the step leaves nothing to undo. `'point-of-no-return'`: once it is done the saga only goes forward, so no step
 * after it has an undo.
 */
type NoUndo = 'nothing' | 'point-of-no-return';

export interface CommandToSend {
  readonly command: SagaCommand;
  readonly request: (saga: SagaView<never>) => object;
}

export interface CommandStep extends CommandToSend {
  readonly kind: 'command';
  readonly name: string;
  readonly undo: CommandToSend | NoUndo | undefined;
}

type LocalWork = (tx: TenantTransaction, saga: SagaView<never>, deps: never) => Promise<unknown>;

export interface LocalStep {
  readonly kind: 'local';
  readonly name: string;
  readonly run: LocalWork;
  readonly undo: LocalWork | NoUndo | undefined;
}

export type SagaStep = CommandStep | LocalStep;

export interface SagaDefinition<Input extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly input: Input;
  readonly steps: readonly SagaStep[];
}

/** Declares steps whose saga has this input. */
export interface StepMaker<Input> {
  /**
   * A keyed command of another service. What it is sent is worked out once, written down, and sent again as it was: it may
   * hold new ids or the time. Past 25 hours a repeat is known only by an id in it, so a command that creates takes one.
   */
  command<E extends SagaCommand, U extends SagaCommand>(step: {
    readonly name: string;
    readonly command: E;
    readonly request: (saga: SagaView<Input>) => CommandRequest<E>;
    readonly undo?:
      | { readonly command: U; readonly request: (saga: SagaView<Input>) => CommandRequest<U> }
      | NoUndo;
  }): SagaStep;
  /** Work of the own service, in one commit with the record that it is done. `deps` is what the service gives its slices. */
  local<Deps>(step: {
    readonly name: string;
    readonly run: (tx: TenantTransaction, saga: SagaView<Input>, deps: Deps) => Promise<unknown>;
    readonly undo?: ((tx: TenantTransaction, saga: SagaView<Input>, deps: Deps) => Promise<unknown>) | NoUndo;
  }): SagaStep;
}

/**
 * Declares work that spans services: what it needs and its steps, in their order.
 *
 * A saga that runs keeps the steps it was started with, by their names: a step that is added later concerns only new sagas,
 * and one whose name is gone makes it stuck. Errors: steps that could not be undone, or never, are refused at once.
 */
export function defineSaga<Input extends z.ZodType>(definition: {
  /** `<service>.<what-it-does>`; never changed while sagas of it run. */
  readonly kind: string;
  readonly input: Input;
  readonly steps: (step: StepMaker<z.output<Input>>) => readonly SagaStep[];
}): SagaDefinition<Input> {
  const { kind, input } = definition;
  const steps = definition.steps(stepMaker as StepMaker<z.output<Input>>);
  checkSteps(kind, steps);
  return { kind, input, steps };
}

const stepMaker: StepMaker<never> = {
  command: ({ undo, ...step }) => ({ kind: 'command', ...step, undo: undo as CommandStep['undo'] }),
  local: ({ undo, ...step }) => ({ kind: 'local', ...step, undo: undo as LocalStep['undo'] }),
};

function checkSteps(kind: string, steps: readonly SagaStep[]): void {
  const refuse = (why: string) => {
    throw new Error(`${kind}: ${why}`);
  };
  if (!/^[a-z]+\.[a-z][a-z0-9-]*$/.test(kind)) refuse('a kind is written <service>.<what-it-does>');
  if (steps.length === 0) refuse('a saga has steps');
  const seen = new Set<string>();
  let mayTurnBack = true;
  for (const { name, undo } of steps) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) refuse(`a step is not called ${name}`);
    if (seen.has(name)) refuse(`two steps are called ${name}`);
    seen.add(name);
    if (mayTurnBack && undo === undefined) refuse(`${name} says nothing of its undo`);
    if (!mayTurnBack && undo !== undefined)
      refuse(`${name} comes after the point of no return and has an undo`);
    if (undo === 'point-of-no-return') mayTurnBack = false;
  }
}
