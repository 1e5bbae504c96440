import { type SagaEvents, type ServiceName, sagaEvents } from '@marimo/contracts';
import type { Failpoint, Outbox } from '@marimo/messaging';
import { continueTrace, inSpan, type Log, runInContext } from '@marimo/observability';
import type { Database, TenantTransaction } from '@marimo/postgres';
import type { CallInput, ServiceClient } from '@marimo/resilience';
import type { LocalStep, SagaCommand, SagaDefinition } from './define.ts';
import { failureOf } from './failure.ts';
import { afterFailure, afterSuccess, commandOf, type Move, type Moving, onward, stuck } from './moves.ts';
import { type Next, nextOf } from './next.ts';
import type { Held, SagaRecord } from './saga.ts';
import { getHeld, lockHeld, saveHeld } from './store.ts';
import { keptReply, viewOf } from './view.ts';

/** Where tests end a process, or what stands for one. */
export type SagaPlace = Extract<Failpoint, `saga.${string}`>;

/** What the steps of a service's sagas need. */
export interface SagaWork {
  readonly service: ServiceName;
  readonly definitions: readonly SagaDefinition[];
  /** Given to local steps. */
  readonly deps: unknown;
  readonly database: Database;
  readonly outbox: Outbox;
  readonly client: Pick<ServiceClient, 'call'>;
  readonly log: Log;
  readonly leaseMs: number;
  /** The longest a command may take; also how long one whose answer was lost is waited for before a refusal is believed. */
  readonly callWithinMs: number;
  readonly visit: (place: SagaPlace) => void;
}

/** Instances that may end in the middle of one step before it counts as what ended them. */
const mostCrashes = 10;
const transactionWithinMs = 30_000;

/** Another instance has taken the saga over: nothing that this one found out counts any more. */
class HoldingLost extends Error {
  override readonly name = 'HoldingLost';
}

type Step = Extract<Next, { kind: 'do' | 'undo' }>;

/**
 * Runs a saga that was taken up until it ends, waits or is stuck. Whatever is thrown left nothing half written: the lease
 * runs out, and another holding goes on from the rows.
 *
 * @param signal fires when the holding is lost or the process stops; what is under way is then given up
 * @param mayGoOn false hands the saga back after the present step
 */
export async function runHeld(
  work: SagaWork,
  held: Held,
  signal: AbortSignal,
  mayGoOn: () => boolean = () => true,
): Promise<void> {
  const { database, service, log } = work;
  const saga = await database.inTenant(held.tenantId, (tx) => getHeld(tx, held), within());
  if (saga === undefined) return;
  const { sagaId, tenantId, requestId, startedBy, traceparent } = saga;
  const context = {
    requestId: requestId ?? sagaId,
    tenantId,
    ...(startedBy !== null && { actorId: startedBy }),
  };
  await runInContext(context, () =>
    continueTrace(traceparent ?? undefined, () =>
      inSpan(service, `saga ${saga.kind}`, { attributes: { 'saga.id': sagaId } }, async () => {
        try {
          await runToRest(work, saga, signal, mayGoOn);
        } catch (error) {
          if (!(error instanceof HoldingLost)) throw error;
          log.info('a saga was taken over by another instance', { sagaId });
        }
      }),
    ),
  );
}

async function runToRest(
  work: SagaWork,
  first: SagaRecord,
  signal: AbortSignal,
  mayGoOn: () => boolean,
): Promise<void> {
  const definition = work.definitions.find(({ kind }) => kind === first.kind);
  const moving = { owner: work.service, definition, callWithinMs: work.callWithinMs };
  const isTakenOver = first.holding - first.settled > 1;
  let saga = { ...first, isDoubtful: first.isDoubtful || isTakenOver };
  for (;;) {
    const move = await moveOn(work, saga, moving, signal);
    if (move.dueInMs !== 'held') return;
    saga = { ...move.saga, settled: saga.holding, isDoubtful: false };
    if (!mayGoOn()) {
      await save(work, { ...move, saga, changed: [], dueInMs: 0 });
      return;
    }
  }
}

/** Does what is next and writes down what came of it. */
async function moveOn(work: SagaWork, saga: SagaRecord, moving: Moving, signal: AbortSignal): Promise<Move> {
  const next = nextOf(saga, moving.definition);
  if (next.kind === 'end' || next.kind === 'unknown') return save(work, onward(saga, [], moving));
  if (saga.holding - saga.settled > mostCrashes) {
    const detail = `${mostCrashes} instances ended in the middle of this step.`;
    const problem = { step: next.record.name, code: 'platform.saga-step-broken', detail };
    return save(work, stuck(saga, problem, { who: 'operator', name: work.service }));
  }
  if (next.step.kind === 'local') return moveLocally(work, saga, next, next.step, moving);
  const command = commandOf(next.step, next.kind)?.command;
  const request = next.kind === 'do' ? next.record.request : next.record.undoRequest;
  if (command === undefined || request === null) return save(work, onward(saga, [], moving));
  return moveByCommand(work, saga, { next, command, request, moving, signal });
}

interface Sending {
  readonly next: Step;
  readonly command: SagaCommand;
  readonly request: object;
  readonly moving: Moving;
  readonly signal: AbortSignal;
}

async function moveByCommand(work: SagaWork, saga: SagaRecord, sending: Sending): Promise<Move> {
  const { next, command, request, moving, signal } = sending;
  const { client, visit, callWithinMs } = work;
  const input = {
    ...request,
    organisationId: saga.tenantId,
    idempotencyKey: `${saga.sagaId}:${next.record.name}:${next.kind}`,
    deadlineAt: Date.now() + callWithinMs,
    signal,
    ...(saga.startedBy !== null && { authorId: saga.startedBy }),
  } as unknown as CallInput<SagaCommand>; // the step's declaration has checked what its command is sent
  visit('saga.beforeCommand');
  const move = await client.call(command, input).then(
    (reply) => afterSuccess(saga, next, keptReply(command, reply), moving),
    (thrown: unknown) => {
      if (signal.aborted) throw new HoldingLost();
      return afterThrown(work, saga, { next, moving, thrown, by: serviceOf(command) });
    },
  );
  visit('saga.afterCommand');
  return save(work, move);
}

/** The work and the record of it are one commit; the lock says that nobody else is about the same. */
async function moveLocally(
  work: SagaWork,
  saga: SagaRecord,
  next: Step,
  step: LocalStep,
  moving: Moving,
): Promise<Move> {
  const { database, deps, visit } = work;
  const run = next.kind === 'do' ? step.run : step.undo;
  if (typeof run !== 'function' || moving.definition === undefined)
    return save(work, onward(saga, [], moving));
  const view = viewOf(saga, moving.definition);
  let failed: { thrown: unknown } | undefined;
  const inTransaction = async (tx: TenantTransaction) => {
    failed = undefined;
    if (!(await lockHeld(tx, saga))) throw new HoldingLost();
    visit('saga.beforeCommand');
    const value = await run(tx, view, deps as never).catch((thrown: unknown) => {
      failed = { thrown };
      throw thrown;
    });
    visit('saga.afterCommand');
    const move = afterSuccess(saga, next, { value: value ?? null }, moving);
    await write(work, tx, move);
    return move;
  };
  try {
    const move = await database.inTenant(saga.tenantId, inTransaction, within());
    visit('saga.afterCommit');
    return move;
  } catch (thrown) {
    // What the database says at the commit leaves open whether it was done; only the rows can tell.
    if (failed?.thrown !== thrown) throw thrown;
    return save(work, afterThrown(work, saga, { next, moving, thrown, by: work.service }));
  }
}

interface Thrown {
  readonly next: Step;
  readonly moving: Moving;
  readonly thrown: unknown;
  readonly by: string;
}

function afterThrown(work: SagaWork, saga: SagaRecord, { next, moving, thrown, by }: Thrown): Move {
  const failure = failureOf(thrown, { service: by, owner: work.service });
  const move = afterFailure(saga, next, failure, moving);
  const level = move.event === 'stuck' || move.event === 'waiting' ? 'warn' : 'info';
  const about = {
    sagaId: saga.sagaId,
    saga: saga.kind,
    step: next.record.name,
    failures: move.saga.failures,
  };
  work.log[level](`a step of a saga could not be ${next.kind === 'do' ? 'done' : 'undone'}`, {
    ...about,
    error: thrown,
  });
  return move;
}

async function save(work: SagaWork, move: Move): Promise<Move> {
  await work.database.inTenant(move.saga.tenantId, (tx) => write(work, tx, move), within());
  work.visit('saga.afterCommit');
  return move;
}

async function write(work: SagaWork, tx: TenantTransaction, move: Move): Promise<void> {
  const { saga, changed, doubtfulForMs, event } = move;
  const dueInMs = move.dueInMs === 'held' ? work.leaseMs : move.dueInMs;
  if (!(await saveHeld(tx, { ...saga, changed, dueInMs, doubtfulForMs }))) throw new HoldingLost();
  if (event !== undefined) await tell(work, tx, saga, event);
  work.visit('saga.beforeCommit');
}

async function tell(
  { service, outbox }: SagaWork,
  tx: TenantTransaction,
  saga: SagaRecord,
  event: keyof SagaEvents,
): Promise<void> {
  const { sagaId, kind, startedBy, problem, needs } = saga;
  const events = sagaEvents(service);
  const fact = { sagaId, kind, startedBy };
  if (event === 'done' || event === 'undone') return outbox.add(tx, events[event], sagaId, fact);
  if ((event === 'stuck' || event === 'waiting') && problem !== null && needs !== null) {
    const { step, code } = problem;
    return outbox.add(tx, events[event], sagaId, { ...fact, step, code, needs });
  }
}

/** `/internal/accounting/…`: accounting. */
function serviceOf({ path }: SagaCommand): string {
  return path.split('/')[path.startsWith('/internal/') ? 2 : 3] ?? '';
}

function within() {
  return { deadlineAt: Date.now() + transactionWithinMs };
}
