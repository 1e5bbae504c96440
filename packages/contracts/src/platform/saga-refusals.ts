import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { Id } from '../ids.ts';

/** The caller picks `sagaId`, so a request that comes again starts nothing new. */
export class SagaIdReused extends refusal(z.object({ sagaId: Id }), {
  code: 'platform.saga-id-reused',
  kind: 'conflict',
  title: 'This saga id was used for other work',
  detail: ({ sagaId }) => `The saga ${sagaId} was started with other content. Use a new id for new work.`,
}) {}

export class SagaOver extends refusal(z.object({ state: z.string() }), {
  code: 'platform.saga-over',
  kind: 'conflict',
  title: 'The saga has ended',
  detail: ({ state }) => `The saga is ${state}; nothing of it can be retried or given up any more.`,
}) {}
