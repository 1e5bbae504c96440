import { runPeriodically } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import type { BackgroundWork, Deps } from '@marimo/service-kit';
import type { EmailParts } from './parts.ts';
import { MailRefused, type Postbox } from './postbox.ts';
import { pauseAfter } from './retry.ts';
import { type DueEmail, getWaitingEmail, takeDue, updateFailed, updateSent } from './store.ts';

/** How many are on their way at once. */
const atOnce = 10;
/** Who takes a mail and dies holds it up this long. */
const takenForMs = 3 * 60_000;

/** Sends what is due, each mail once: killed between sending and noting it, it sends again under the same Message-ID. */
export const emailSender: BackgroundWork<EmailParts> = {
  name: 'sending mail',
  async start(deps, { postbox }) {
    const stop = runPeriodically({ name: 'sending mail', pauseMs: 1_000, log: deps.log }, (signal) =>
      sendDue(deps, postbox, signal),
    );
    return async () => {
      await stop();
      postbox.close();
    };
  },
};

type SenderDeps = Pick<Deps, 'database' | 'clock' | 'log' | 'metrics'>;

/** Sends until nothing is due. */
export async function sendDue(deps: SenderDeps, postbox: Postbox, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const now = deps.clock();
    const taken = await deps.database.withoutTenant((tx) =>
      takeDue(tx, now, new Date(now.getTime() + takenForMs), atOnce),
    );
    // All of them to their end, whatever one of them meets: a stop must leave nothing on its way.
    const outcomes = await Promise.allSettled(taken.map((due) => sendOne(deps, postbox, due)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    if (taken.length < atOnce || signal?.aborted) return;
  }
}

async function sendOne(deps: SenderDeps, postbox: Postbox, { tenantId, emailId }: DueEmail): Promise<void> {
  const { database, clock, log, metrics } = deps;
  const mails = metrics.counter('emails_total', 'Attempts to send mail', ['outcome']);
  const email = await database.inTenant(tenantId, (tx) => getWaitingEmail(tx, emailId), { readOnly: true });
  if (email === undefined) return;
  try {
    await postbox.send(email);
  } catch (error) {
    const attempts = email.attempts + 1;
    const pauseMs = pauseAfter(attempts, error instanceof MailRefused);
    const outcome = pauseMs === null ? 'given-up' : 'failed';
    log.warn('a mail was not accepted', {
      emailId,
      attempts,
      outcome,
      reason: withoutAddresses(reasonOf(error)),
    });
    mails.inc({ outcome });
    const next = pauseMs === null ? null : new Date(clock().getTime() + pauseMs);
    await noteFailure(database, tenantId, emailId, error, next);
    return;
  }
  mails.inc({ outcome: 'sent' });
  await database.inTenant(tenantId, (tx) => updateSent(tx, emailId, clock()));
}

async function noteFailure(
  database: Database,
  tenantId: string,
  emailId: string,
  error: unknown,
  next: Date | null,
): Promise<void> {
  await database.inTenant(tenantId, (tx) => updateFailed(tx, emailId, reasonOf(error), next));
}

/** Servers answer at any length, and with NUL, which PostgreSQL does not keep. */
function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500).replaceAll('\0', '\ufffd');
}

/** A server repeats the address it refuses; the log is no place for it. */
function withoutAddresses(text: string): string {
  return text.replaceAll(/[^\s<>"']+@[^\s<>"']+/g, '<address>');
}
