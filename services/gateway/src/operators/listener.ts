import type { AddressInfo } from 'node:net';
import type { Log, Metrics } from '@marimo/observability';
import {
  createApp,
  createHardenedServer,
  type Listening,
  listen,
  noDatabase,
  PortTaken,
} from '@marimo/service-kit';
import { operatorToken, operatorVerifier, turnAwayWhoFails } from './admit.ts';
import { type OperatorParts, operatorRoutes } from './routes.ts';
import type { OperatorSettings } from './settings.ts';

export interface OperatorListener {
  /** Throws `PortTaken` when somebody else has the port. */
  open(): Promise<void>;
  /** Where it listens, once it does. */
  readonly address: AddressInfo | undefined;
  close(): Promise<void>;
}

/** A listener of its own: what is for operators stands on no port a load balancer knows. */
export function operatorListener(
  parts: OperatorParts,
  { port, host, token }: Omit<OperatorSettings, 'canary'>,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
): OperatorListener {
  const isOperator = operatorToken(token);
  const app = createApp({
    service: 'gateway',
    database: noDatabase('gateway'),
    verifier: operatorVerifier(isOperator),
    routes: operatorRoutes(parts),
    pages: turnAwayWhoFails(isOperator),
    clock: parts.clock,
    metrics,
    log,
  });
  let listening: Listening | undefined;
  return {
    async open() {
      listening = await listen(createHardenedServer(app), port, host).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
          const place = `${host}:${port}`;
          throw new PortTaken(
            `gateway: operators' ${place} cannot be had (${error.code}); set GATEWAY_OPERATOR_PORT to another port`,
          );
        },
      );
      log.info('operators are served', { host, port: listening.address.port });
    },
    get address() {
      return listening?.address;
    },
    async close() {
      await listening?.close(1_000);
      listening = undefined;
    },
  };
}
