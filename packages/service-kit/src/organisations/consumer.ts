import type { ServiceName } from '@marimo/contracts';
import { organisations, sessions } from '@marimo/contracts/users';
import { type Consumer, consumer } from '@marimo/messaging';
import type { Deps } from '../service.ts';
import { upsertFacts } from './store.ts';

/** Keeps a service's copy of what it must know of organisations, and no files of one that is closed for good. */
export function organisationConsumer(service: ServiceName): Consumer<Pick<Deps, 'files'>> {
  return consumer({
    name: `${service}.organisations`,
    queue: `${service}_organisations_queue`,
    events: [sessions.organisationRegistered, organisations.changed, organisations.closed],
    async handle(tx, { type, data, time }, { files }) {
      if (type === organisations.closed.type) return files.abandonAll(tx);
      await upsertFacts(tx, 'organisation' in data ? data.organisation : data, time);
    },
  });
}
