import { Envelope } from '@marimo/contracts';
import type { Message } from 'amqplib';
import { z } from 'zod';
import type { DeadLetter, Delivery } from '../transport.ts';
import { deadQueueOf } from './topology.ts';

/** Ours. RabbitMQ adds `x-delivery-count`, and `x-death` where it parked the message itself. */
export const headers = {
  attempt: 'x-attempt',
  attempts: 'x-attempts',
  reason: 'x-reason',
  diedAt: 'x-died-at',
} as const;

// What JSON.parse returns is JSON; to check that of each value again costs more than all the rest. A newer version of a
// service may say attributes that we do not know.
const Received = z.looseObject({ ...Envelope.shape, data: z.unknown() });

/** Null for what is no envelope: on a broker, others can publish too. */
export function envelopeIn(message: Message): Envelope | null {
  try {
    return Received.parse(JSON.parse(message.content.toString())) as Envelope;
  } catch {
    return null;
  }
}

export function idOf(message: Message): string {
  return String(message.properties.messageId ?? '');
}

/** A message that came back, because its consumer or the connection ended, has been attempted too. */
export function attemptOf(message: Message): Delivery['attempt'] {
  return numberIn(message, headers.attempt, 1) + numberIn(message, 'x-delivery-count', 0);
}

export function deadLetterIn(message: Message, queue: string): DeadLetter {
  const found = message.properties.headers ?? {};
  const death = found['x-death']?.find((each) => each.queue !== deadQueueOf(queue));
  const reason = found[headers.reason] ?? `RabbitMQ parked it: ${death?.reason ?? 'unknown'}`;
  const diedAt = found[headers.diedAt] ?? new Date((death?.time.value ?? 0) * 1_000).toISOString();
  return {
    id: idOf(message),
    queue,
    envelope: envelopeIn(message),
    reason: String(reason),
    attempts: numberIn(message, headers.attempts, attemptOf(message)),
    diedAt: String(diedAt),
  };
}

function numberIn(message: Message, header: string, otherwise: number): number {
  const value = Number(message.properties.headers?.[header] ?? otherwise);
  return Number.isSafeInteger(value) ? value : otherwise;
}
