import type { ServiceName } from '@marimo/contracts';
import { organisations, sessions } from '@marimo/contracts/users';
import { type Consumer, consumer } from '@marimo/messaging';
import { upsertFacts } from './store.ts';

/** Keeps a service's copy of what it must know of organisations. */
export function organisationConsumer(service: ServiceName): Consumer<unknown> {
  return consumer({
    name: `${service}.organisations`,
    queue: `${service}_organisations_queue`,
    events: [sessions.organisationRegistered, organisations.changed],
    async handle(tx, { data, time }) {
      await upsertFacts(tx, 'organisation' in data ? data.organisation : data, time);
    },
  });
}
