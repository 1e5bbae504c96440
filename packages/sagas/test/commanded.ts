import { BadUpstream } from '@marimo/contracts';
import type { CallInput, ServiceClient } from '@marimo/resilience';
import { RefusedByService } from '@marimo/resilience';
import type { SagaCommand } from '../src/index.ts';

/**
 * How commands reach the other services. `twice`: each is delivered twice. `answer lost`: done, and every other answer gets
 * lost. `late`: every other one arrives only when the next is sent, after its sender has given it up.
 */
export type Delivery = 'once' | 'twice' | 'answer lost' | 'late';

export interface Effect {
  readonly path: string;
  readonly body: { readonly saleId: string; readonly reservationId?: string };
  readonly authorId: string | undefined;
  readonly organisationId: string | undefined;
}

export interface Commanded extends Pick<ServiceClient, 'call'> {
  readonly effects: Effect[];
  delivery: Delivery;
  /** Paths whose commands a rule refuses, or a path and a sale with a space between; `away`: those of services that do not answer. */
  readonly refused: Set<string>;
  readonly away: Set<string>;
  /** Called in the middle of each command. */
  during: (path: string) => Promise<void> | void;
}

type Sent = CallInput<SagaCommand> & { readonly body: Effect['body'] };

/** Other services in small: an effect for each command, and its answer kept by key as the kit keeps it. */
export function commanded(): Commanded {
  const answers = new Map<string, { body: string; reply: { status: 201; body: object } }>();
  let late: (() => void) | undefined;
  let sent = 0;

  function deliver(path: string, input: Sent) {
    const { idempotencyKey = '', body, authorId, organisationId } = input;
    const known = answers.get(idempotencyKey);
    if (known !== undefined && known.body !== JSON.stringify(body))
      throw new Error(`${idempotencyKey} reused`);
    if (known !== undefined) return known.reply;
    if (service.refused.has(path) || service.refused.has(`${path} ${body.saleId}`)) throw refusedBy(path);
    service.effects.push({ path, body, authorId, organisationId });
    const reply = { status: 201 as const, body: { reservationId: body.reservationId ?? body.saleId } };
    answers.set(idempotencyKey, { body: JSON.stringify(body), reply });
    return reply;
  }

  const service: Commanded = {
    effects: [],
    delivery: 'once',
    refused: new Set(),
    away: new Set(),
    during: () => {},
    async call(endpoint, input) {
      const { path } = endpoint;
      const given = input as unknown as Sent;
      late?.();
      late = undefined;
      sent += 1;
      await service.during(path);
      if (service.away.has(path)) throw new BadUpstream({ service: path.split('/')[2] ?? '' });
      if (service.delivery === 'late' && sent % 2 === 1) {
        late = () => attempt(() => deliver(path, given));
        throw new BadUpstream({ service: path.split('/')[2] ?? '' });
      }
      const reply = deliver(path, given);
      if (service.delivery === 'twice') deliver(path, given);
      if (service.delivery === 'answer lost' && sent % 2 === 1)
        throw new BadUpstream({ service: path.split('/')[2] ?? '' });
      return reply as never;
    },
  };
  return service;
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // refused, and nobody hears it
  }
}

function refusedBy(path: string): RefusedByService {
  const code = 'main.rule-says-no';
  const problem = { type: `urn:marimo:problem:${code}`, title: 'A rule says no', status: 422, code };
  return new RefusedByService(path.split('/')[2] ?? '', 'refused', problem);
}
