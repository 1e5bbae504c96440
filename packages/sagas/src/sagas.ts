import {
  Absent,
  type Saga,
  SagaIdReused,
  SagaOver,
  type SagaWithSteps,
  type ServiceName,
  sagaEvents,
} from '@marimo/contracts';
import { type Cause, currentCause, failpoint, type Outbox } from '@marimo/messaging';
import type { TenantTransaction } from '@marimo/postgres';
import { z } from 'zod';
import { resumeSaga, turnBack } from './decide-store.ts';
import type { SagaDefinition } from './define.ts';
import { nextOf } from './next.ts';
import { getSaga, listSagas, type SagaSlice } from './read-store.ts';
import type { SagaRecord } from './saga.ts';
import { insertSaga, isSameSaga, lockSaga } from './store.ts';
import { viewOf } from './view.ts';

export interface SagaToStart<Input extends z.ZodType> {
  /** Chosen by the caller: a request that comes again starts nothing new. */
  readonly sagaId: string;
  readonly input: z.output<Input>;
  /** The work at hand, unless the transaction does that of several requests. Its actor stands as author of every step. */
  readonly cause?: Cause;
}

/** The sagas of one service; each of these is given the transaction that it belongs to. */
export interface Sagas {
  /**
   * Starts a saga in the transaction that makes it necessary; its steps begin after the commit. The right of the person has to
   * be checked by then: the steps are done by the service in their name.
   *
   * Errors: SagaIdReused, where the id was used for other content.
   */
  start<Input extends z.ZodType>(
    tx: TenantTransaction,
    definition: SagaDefinition<Input>,
    saga: SagaToStart<Input>,
  ): Promise<{ readonly isNew: boolean }>;
  list(tx: TenantTransaction, slice: SagaSlice): Promise<Saga[]>;
  get(tx: TenantTransaction, sagaId: string): Promise<SagaWithSteps | undefined>;
  /** Tries at once what a saga waits for or is stuck at. Errors: Absent; SagaOver. */
  retry(tx: TenantTransaction, sagaId: string): Promise<void>;
  /**
   * Undoes what can be undone; past the point of no return the saga ends as it is. Where it is undoing that gets no further,
   * the step it is about is left. Errors: Absent; SagaOver.
   */
  giveUp(tx: TenantTransaction, sagaId: string, by: { userId: string; reason: string }): Promise<void>;
}

export interface SagasOptions {
  readonly service: ServiceName;
  readonly definitions: readonly SagaDefinition[];
  readonly outbox: Outbox;
  /** Called after a commit that lets a saga begin or go on: `wake.ring` of the runner. */
  readonly onDue: () => void;
}

export function createSagas({ service, definitions, outbox, onDue }: SagasOptions): Sagas {
  const events = sagaEvents(service);

  return {
    async start(tx, definition, { sagaId, input, cause = currentCause() }) {
      if (!definitions.includes(definition as unknown as SagaDefinition))
        throw new Error(`${service} does not declare the saga ${definition.kind}`);
      const { kind, steps } = definition;
      const startedBy = cause.actorid ?? null;
      const begun = { sagaId, tenantId: tx.tenantId, startedBy, input: z.encode(definition.input, input) };
      const [first, ...later] = steps.map(({ name }) => ({ name, request: null }));
      if (first === undefined) throw new Error(`${kind} has no steps`);
      const stepsToInsert = [{ ...first, request: firstRequest(definition, begun) }, ...later];
      const origin = { requestId: cause.requestid ?? null, traceparent: cause.traceparent ?? null };
      const isNew = await insertSaga(tx, { ...begun, ...origin, kind, steps: stepsToInsert });
      if (!isNew && !(await isSameSaga(tx, { ...begun, kind }))) throw new SagaIdReused({ sagaId });
      if (!isNew) return { isNew };
      const data = { sagaId, kind, startedBy };
      await outbox.addAll(tx, events.started, [{ subject: sagaId, data, cause }]);
      failpoint('saga.afterStart');
      tx.afterCommit(onDue);
      return { isNew };
    },
    list: listSagas,
    get: getSaga,
    async retry(tx, sagaId) {
      await requireOpen(tx, sagaId);
      await resumeSaga(tx, sagaId);
      tx.afterCommit(onDue);
    },
    async giveUp(tx, sagaId, { userId, reason }) {
      const saga = await requireOpen(tx, sagaId);
      const leaves = stepToLeave(saga, definitions);
      // On its way back for a person already: a second one changes neither who it was nor what is under way.
      if (saga.isGivenUp && leaves === undefined) return;
      await turnBack(tx, sagaId, { by: userId, reason, leaves });
      const { kind, startedBy } = saga;
      await outbox.add(tx, events.givenUp, sagaId, { sagaId, kind, startedBy, givenUpBy: userId, reason });
      tx.afterCommit(onDue);
    },
  };
}

function firstRequest(
  definition: SagaDefinition,
  begun: Pick<SagaRecord, 'sagaId' | 'tenantId' | 'startedBy' | 'input'>,
): object | null {
  const [step] = definition.steps;
  return step?.kind === 'command' ? step.request(viewOf({ ...begun, steps: [] }, definition)) : null;
}

async function requireOpen(tx: TenantTransaction, sagaId: string): Promise<SagaRecord> {
  const saga = await lockSaga(tx, sagaId);
  if (saga === undefined) throw new Absent({ resource: 'saga' });
  const { state } = saga;
  if (state === 'done' || state === 'undone' || state === 'given-up') throw new SagaOver({ state });
  return saga;
}

/** On its way back already and known to get no further: the step it is about. A short absence needs nobody yet. */
function stepToLeave(saga: SagaRecord, definitions: readonly SagaDefinition[]): string | undefined {
  if (saga.direction !== 'back' || saga.needs === null) return undefined;
  const definition = definitions.find(({ kind }) => kind === saga.kind);
  const next = nextOf(saga, definition);
  return next.kind === 'end' ? undefined : next.record.name;
}
