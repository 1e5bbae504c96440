import { z } from 'zod';
import { endpoint } from '../endpoint.ts';
import { type EventDefinition, event } from '../event.ts';
import { Id } from '../ids.ts';
import { PageQuery, pageOf, severalOf } from '../list.ts';
import { Instant } from '../measures.ts';
import { type Permission, permission } from '../permission.ts';
import { personal } from '../personal.ts';
import type { ServiceName } from '../services.ts';
import { lineOfText } from '../texts.ts';
import { SagaOver } from './saga-refusals.ts';

/**
 * `running`: step after step. `undoing`: back from the last step to the first. `stuck`: waits for whom `needs` names.
 * `done`, `undone` and `given-up` are ends; given up is what a person ended although some of it stays.
 */
export const SagaState = z.enum(['running', 'undoing', 'stuck', 'done', 'undone', 'given-up']);
export type SagaState = z.infer<typeof SagaState>;

/** `refused`: it has no effect. `left`: given up as it was found; somebody has to look at it. */
export const SagaStepState = z.enum(['waiting', 'done', 'refused', 'undone', 'left']);
export type SagaStepState = z.infer<typeof SagaStepState>;

/** A service that does not answer, a person with a permission, or the operator of a service. */
export const SagaNeed = z.strictObject({
  who: z.enum(['service', 'person', 'operator']),
  /** The service, or the permission of the person. */
  name: z.string(),
});
export type SagaNeed = z.infer<typeof SagaNeed>;

/** What stands in the way, or stood in it. */
export const SagaProblem = z.strictObject({
  step: z.string(),
  code: z.string(),
  /** What the other service said, which may name a person. */
  detail: personal(z.string()),
});
export type SagaProblem = z.infer<typeof SagaProblem>;

export const Saga = z.strictObject({
  sagaId: Id,
  /** `<service>.<what-it-does>`. */
  kind: z.string(),
  state: SagaState,
  /** The person or service account on whose behalf it runs; null for work that the service began itself. */
  startedBy: Id.nullable(),
  startedAt: Instant,
  changedAt: Instant,
  finishedAt: Instant.nullable(),
  /** Why it turned back, unless a person wanted it. */
  undoneBecause: SagaProblem.nullable(),
  problem: SagaProblem.nullable(),
  /** Since when it gets no further. */
  failingSince: Instant.nullable(),
  /** Whom it waits for; told at the latest a minute after `failingSince`. */
  needs: SagaNeed.nullable(),
  givenUpBy: Id.nullable(),
  giveUpReason: z.string().nullable(),
});
export type Saga = z.infer<typeof Saga>;

export const SagaWithSteps = Saga.extend({
  steps: z.array(
    z.strictObject({
      name: z.string(),
      state: SagaStepState,
      doneAt: Instant.nullable(),
      undoneAt: Instant.nullable(),
    }),
  ),
});
export type SagaWithSteps = z.infer<typeof SagaWithSteps>;

const SagaFact = z.strictObject({ sagaId: Id, kind: z.string(), startedBy: Id.nullable() });
const SagaTrouble = SagaFact.extend({ step: z.string(), code: z.string(), needs: SagaNeed });

/** Who may see the sagas of a service, and who may retry them and give them up. Belongs into its `permissions.ts`. */
export function sagaPermissions(service: ServiceName): {
  readonly read: Permission;
  readonly manage: Permission;
} {
  return {
    read: permission(`${service}.saga.read`, {
      en: 'See work that spans services',
      ru: 'Видеть операции, охватывающие несколько служб',
    }),
    manage: permission(`${service}.saga.manage`, {
      en: 'Retry and give up work that spans services',
      ru: 'Повторять и прекращать операции, охватывающие несколько служб',
    }),
  };
}

export interface SagaEvents {
  readonly started: EventDefinition<typeof SagaFact>;
  readonly done: EventDefinition<typeof SagaFact>;
  readonly undone: EventDefinition<typeof SagaFact>;
  /** It gets no further since a minute and goes on trying. */
  readonly waiting: EventDefinition<typeof SagaTrouble>;
  /** It tries no more until somebody has helped. */
  readonly stuck: EventDefinition<typeof SagaTrouble>;
  readonly givenUp: EventDefinition<typeof SagaGivenUp>;
}

const SagaGivenUp = SagaFact.extend({ givenUpBy: Id, reason: z.string() });

export function sagaEvents(service: ServiceName): SagaEvents {
  return {
    started: event(`${service}.saga-started.v1`, SagaFact),
    done: event(`${service}.saga-done.v1`, SagaFact),
    undone: event(`${service}.saga-undone.v1`, SagaFact),
    waiting: event(`${service}.saga-waiting.v1`, SagaTrouble),
    stuck: event(`${service}.saga-stuck.v1`, SagaTrouble),
    givenUp: event(`${service}.saga-given-up.v1`, SagaGivenUp),
  };
}

/**
 * What every service with sagas has in its contract: `export const sagas = sagaContract('shop')` in its index hands it
 * on, and `sagaPermissions('shop')` in its permissions.
 */
export function sagaContract(service: ServiceName) {
  const { read, manage } = sagaPermissions(service);
  const path = `/api/v1/${service}/sagas` as const;
  const params = z.strictObject({ sagaId: Id });
  return {
    list: endpoint({
      method: 'GET',
      path,
      summary: 'Lists work that spans services, newest first.',
      access: read,
      query: PageQuery.extend({ state: severalOf(SagaState).optional() }),
      replies: { 200: pageOf(Saga) },
    }),
    get: endpoint({
      method: 'GET',
      path: `${path}/{sagaId}`,
      summary: 'Returns a saga with its steps.',
      access: read,
      params,
      replies: { 200: SagaWithSteps },
    }),
    retry: endpoint({
      method: 'POST',
      path: `${path}/{sagaId}/retry`,
      summary: 'Tries at once what a saga is stuck at or waits for.',
      access: manage,
      params,
      replies: { 200: SagaWithSteps },
      refusals: [SagaOver],
    }),
    giveUp: endpoint({
      method: 'POST',
      path: `${path}/{sagaId}/give-up`,
      summary:
        'Undoes what a saga has done; past its point of no return ends it as it is. Where undoing is what fails, leaves that step.',
      access: manage,
      params,
      body: z.strictObject({ reason: lineOfText(500) }),
      replies: { 200: SagaWithSteps },
      refusals: [SagaOver],
    }),
    ...sagaEvents(service),
  };
}
