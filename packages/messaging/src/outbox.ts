import { type Envelope, type EventData, type EventDefinition, newId } from '@marimo/contracts';
import { currentContext, currentTraceparent } from '@marimo/observability';
import type { Transaction } from '@marimo/postgres';
import { z } from 'zod';
import { failpoint } from './failpoint.ts';

export interface EventToAdd<E extends EventDefinition> {
  /** The id of the thing the event is about. */
  readonly subject: string;
  readonly data: EventData<E>;
  /** The work at hand, unless the transaction does that of several requests. */
  readonly cause?: Cause;
}

/** The request that an event comes from: its id, actor and trace, as the envelope has them. */
export type Cause = Pick<Envelope, 'requestid' | 'actorid' | 'traceparent'>;

/** Of the work at hand. */
export function currentCause(): Cause {
  const work = currentContext();
  const traceparent = currentTraceparent();
  return {
    ...(work && { requestid: work.requestId }),
    ...(work?.actorId !== undefined && { actorid: work.actorId }),
    ...(traceparent !== undefined && { traceparent }),
  };
}

/**
 * The only way an event leaves a service: a row in the transaction that makes the fact true.
 */
export interface Outbox {
  add<E extends EventDefinition>(
    tx: Transaction,
    event: E,
    subject: string,
    data: EventData<E>,
  ): Promise<void>;
  /** Many events of one type in one statement. */
  addAll<E extends EventDefinition>(
    tx: Transaction,
    event: E,
    events: readonly EventToAdd<E>[],
  ): Promise<void>;
}

export interface OutboxOptions {
  readonly service: string;
  readonly clock: () => Date;
  /** Called after a commit that added events: `wake.ring` of the relay. */
  readonly onAdded: () => void;
}

/** Far above any event, far below what a broker takes: what could never be published must not be written down. */
const maxEnvelopeBytes = 16 * 1024 * 1024;

export function createOutbox({ service, clock, onAdded }: OutboxOptions): Outbox {
  const notify = () => {
    failpoint('outbox.afterCommit');
    onAdded();
  };

  async function addAll<E extends EventDefinition>(
    tx: Transaction,
    event: E,
    events: readonly EventToAdd<E>[],
  ): Promise<void> {
    if (events.length === 0) return;
    const shared = sharedAttributes(service, event, tx, clock());
    const atHand = currentCause();
    const envelopes = events.map(({ subject, data, cause = atHand }) =>
      envelopeOf({ ...shared, ...cause }, event, subject, data),
    );
    await insertEnvelopes(tx, envelopes);
    failpoint('outbox.afterAdd');
    tx.afterCommit(notify);
  }

  return { add: (tx, event, subject, data) => addAll(tx, event, [{ subject, data }]), addAll };
}

type SharedAttributes = Omit<Envelope, 'id' | 'subject' | 'data'>;

function sharedAttributes(
  service: string,
  event: EventDefinition,
  tx: Transaction,
  now: Date,
): SharedAttributes {
  if (tx.tenantId === null) throw new Error(`${event.type} needs a transaction of a tenant`);
  return {
    specversion: '1.0',
    source: `/services/${service}`,
    type: event.type,
    time: now.toISOString(),
    datacontenttype: 'application/json',
    tenantid: tx.tenantId,
  };
}

/** Throws where the data does not fit the contract: better here than at every consumer. */
function envelopeOf<E extends EventDefinition>(
  shared: SharedAttributes,
  event: E,
  subject: string,
  data: EventData<E>,
): { id: string; text: string } {
  const id = newId();
  const text = JSON.stringify({ ...shared, id, subject, data: z.encode(event.data, data) });
  if (Buffer.byteLength(text) > maxEnvelopeBytes) {
    throw new Error(`An event ${event.type} of ${text.length} characters is more than a broker takes`);
  }
  return { id, text };
}

async function insertEnvelopes(tx: Transaction, envelopes: { id: string; text: string }[]): Promise<void> {
  const sql = `
    insert into outbox (tenant_id, id, envelope)
    select $1, event.id, event.envelope::json
    from unnest($2::uuid[], $3::text[]) as event (id, envelope)`;
  const ids = envelopes.map(({ id }) => id);
  const texts = envelopes.map(({ text }) => text);
  await tx.run(sql, [tx.tenantId, ids, texts], 'outbox.add');
}
