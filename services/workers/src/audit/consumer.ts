import { consumerOfAll } from '@marimo/messaging';
import type { Deps } from '@marimo/service-kit';
import { withoutPersonalData } from './personal-data.ts';
import { appendRecords } from './store.ts';

/** Every event of every service is one record. Those of one tenant are chained one to the other, so they go together. */
export const auditConsumer = consumerOfAll<Deps>({
  name: 'audit',
  queue: 'audit_queue',
  concurrency: 4,
  together: 50,
  handle: (tx, envelopes) =>
    appendRecords(
      tx,
      envelopes.map((envelope) => ({ ...envelope, data: withoutPersonalData(envelope) })),
    ),
});
