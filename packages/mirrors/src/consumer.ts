import type { EventDefinition, ServiceName } from '@marimo/contracts';
import { eventsOf } from '@marimo/contracts/records';
import { organisations, sessions } from '@marimo/contracts/users';
import { type Consumer, consumer } from '@marimo/messaging';
import type { RecordValues } from '@marimo/records';
import type { Mirror } from './mirror.ts';
import { closeStanding, holdStanding } from './standing-store.ts';
import { deleteCopies, upsertCopies } from './store.ts';

/** Feeds a mirror with what happens to the originals; empties it when the organisation has been closed. */
export function mirrorConsumer(service: ServiceName, mirror: Mirror): Consumer<unknown> {
  const { record } = mirror;
  const told: readonly EventDefinition[] = Object.values(eventsOf(record));
  return consumer<unknown, EventDefinition>({
    name: `${service}.mirror-of-${record.fullName}`,
    queue: `${service}_${record.service}_${record.table}_mirror_queue`,
    events: [...told, sessions.organisationRegistered, organisations.closed],
    async handle(tx, { type, data }) {
      if (type === organisations.closed.type) {
        await closeStanding(tx, record.fullName);
        return deleteCopies(tx, mirror, 'all');
      }
      const state = await holdStanding(tx, record.fullName);
      if (state === 'closed' || type === sessions.organisationRegistered.type) return;
      await upsertCopies(tx, mirror, [data as RecordValues]);
    },
  });
}
