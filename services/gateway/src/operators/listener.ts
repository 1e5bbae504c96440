import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Log, Metrics } from '@marimo/observability';
import {
  createApp,
  createHardenedServer,
  type Listening,
  listen,
  noDatabase,
  PortTaken,
} from '@marimo/service-kit';
import { operatorToken, operatorVerifier, throttleWrongTokens } from './admit.ts';
import { journalIn } from './journal.ts';
import { type OperatorParts, operatorRoutes } from './routes.ts';
import type { OperatorSettings } from './settings.ts';
import { type SharingParts, sharedOverridesOf } from './sharing.ts';

export interface OperatorListener {
  /** Takes over the overrides of all gateways first. Throws `PortTaken` when the port is in use. */
  open(): Promise<void>;
  /** Where it listens, once it does. */
  readonly address: AddressInfo | undefined;
  close(): Promise<void>;
}

type ListenerParts = Omit<OperatorParts, 'journal' | 'sharedOverrides'> &
  Pick<SharingParts, 'registry' | 'self'> & {
    /** Where the journal of changes is kept; undefined keeps it in the log alone. */
    readonly home: string | undefined;
    readonly metrics: Metrics;
    readonly log: Log;
  };

/** A listener of its own: what is for operators is on no port a load balancer knows. */
export function operatorListener(
  parts: ListenerParts,
  { port, host, token }: Omit<OperatorSettings, 'canary'>,
): OperatorListener {
  const { home, metrics, log } = parts;
  const isOperator = operatorToken(token);
  const journal = journalIn(home && join(home, 'changes.jsonl'), log);
  const sharedOverrides = sharedOverridesOf({ ...parts, journal });
  const app = createApp({
    service: 'gateway',
    database: noDatabase('gateway'),
    verifier: operatorVerifier(isOperator),
    routes: operatorRoutes({ ...parts, journal, sharedOverrides }),
    pages: throttleWrongTokens(isOperator),
    clock: parts.clock,
    metrics,
    log,
  });
  let listening: Listening | undefined;
  return {
    async open() {
      await sharedOverrides.begin();
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
      await sharedOverrides.close();
    },
  };
}
