import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';

const cancelRequestCode = 80877102;

/**
 * Stops in the server what this connection is running. A request that arrives before its statement has no effect, so
 * it is repeated until the statement has ended; afterwards none is on its way that could hit a later one.
 */
export async function cancelUntil(hasEnded: () => boolean, client: pg.PoolClient): Promise<void> {
  for (let pauseMs = 10; !hasEnded(); pauseMs = Math.min(2 * pauseMs, 500)) {
    await sendCancelRequest(client);
    if (!hasEnded()) await pause(pauseMs);
  }
}

/** Resolves once the server has passed it on; never rejects: the statement timeout is the second line. */
function sendCancelRequest(client: pg.PoolClient): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const request = Buffer.alloc(16);
  request.writeInt32BE(request.length, 0);
  request.writeInt32BE(cancelRequestCode, 4);
  request.writeInt32BE(processID, 8);
  request.writeInt32BE(secretKey, 12);

  return new Promise((resolve) => {
    // The server reads this before any authentication and closes the socket; TLS is not needed for it.
    const socket = client.host.startsWith('/')
      ? connect(`${client.host}/.s.PGSQL.${client.port}`)
      : connect(client.port, client.host);
    socket.setTimeout(2_000, () => socket.destroy());
    socket.on('connect', () => socket.end(request));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });
}
