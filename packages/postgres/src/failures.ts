import { DatabaseUnavailable, StatementCancelled } from '@marimo/contracts';

export { DatabaseUnavailable, StatementCancelled };

/** The constraint or unique index that a statement violated, so that a store can name the refusal. */
export function violatedConstraint(error: unknown): string | undefined {
  const code = sqlStateOf(error);
  if (code === undefined || !code.startsWith('23')) return undefined;
  return (error as { constraint?: string }).constraint;
}

export function isContention(error: unknown): boolean {
  const code = sqlStateOf(error);
  return code === '40001' || code === '40P01';
}

export function isCancellation(error: unknown): boolean {
  return sqlStateOf(error) === '57014';
}

/** Whether the server could not be reached, broke the connection, or has no room. */
export function isLostServer(error: unknown): boolean {
  const code = sqlStateOf(error);
  if (code !== undefined) return lostStates.test(code);
  // pg gives these no code.
  const message = (error as { message?: unknown } | null)?.message;
  return (
    typeof message === 'string' &&
    /^(Connection terminated|Client (has encountered|was closed))/.test(message)
  );
}

export function unavailable(cause: unknown, outcome: 'nothing-written' | 'unknown'): DatabaseUnavailable {
  return Object.assign(new DatabaseUnavailable({ outcome }, { retryAfterSeconds: 1 }), { cause });
}

export function cancelled(cause?: unknown): StatementCancelled {
  return Object.assign(new StatementCancelled({}), { cause });
}

/**
 * Connection exceptions (08), out of room (53), shutdown and start (57P0x), transaction left idle (25P03), and what
 * the operating system calls them.
 */
const lostStates =
  /^(08...|53...|57P0.|25P03|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
