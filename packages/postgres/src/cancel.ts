import { connect } from 'node:net';
import type pg from 'pg';

const cancelRequestCode = 80877102;

/**
 * Asks the server to stop what this connection is running. Resolves once the server has passed it on, so that it
 * cannot hit a later statement; never rejects, because the statement timeout in the server is the second line.
 */
export function cancelRunning(client: pg.PoolClient): Promise<void> {
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
