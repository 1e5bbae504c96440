/** Places where a crash must lose nothing and double nothing. */
export type Failpoint =
  | 'outbox.afterAdd' // in the business transaction
  | 'outbox.afterCommit'
  | 'relay.afterClaim'
  | 'relay.afterPublish' // stored in the queues, still in the outbox
  | 'relay.afterDelete' // before the commit
  | 'consumer.afterInbox' // before the effect
  | 'consumer.afterEffect' // before the commit
  | 'consumer.afterCommit' // before the acknowledgement
  | 'transport.afterRetry' // sent to wait, still in the queue
  | 'transport.afterPark' // among the dead letters, still in the queue
  | 'transport.afterReplay' // back in the queue, still among the dead letters
  | 'job.afterClaim'
  | 'job.afterEffect' // before the commit
  | 'job.afterWork' // before its end is written
  | 'job.beforeEndCommits'
  | 'mirror.beforeCommit' // a page is written
  | 'mirror.afterCommit'
  | 'saga.afterStart' // in the business transaction
  | 'saga.afterClaim'
  | 'saga.beforeCommand' // for a local step: in its transaction, before its work
  | 'saga.afterCommand' // answered, and nothing of it written yet
  | 'saga.beforeCommit' // written, not committed
  | 'saga.afterCommit';

const wanted = process.env['MARIMO_FAILPOINT'];
// A switch that kills processes has no place where there is real work.
if (wanted !== undefined && process.env['NODE_ENV'] === 'production') {
  throw new Error('MARIMO_FAILPOINT is for tests; unset it');
}
const [place, visit = '1'] = (wanted ?? '').split(':');
let left = Number(visit);

/** Ends this process as a crash would, at the n-th visit of the place that `MARIMO_FAILPOINT=place:n` names. */
export function failpoint(here: Failpoint): void {
  if (here !== place) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
}
