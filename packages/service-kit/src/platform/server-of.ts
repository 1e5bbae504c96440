import type { ServiceName } from '@marimo/contracts';
import { createApp } from '../http/app.ts';
import { createHardenedServer, type FrontServer } from '../http/listen.ts';
import { openApiOf } from '../pages/openapi.ts';
import { operationPages } from '../pages/operations.ts';
import { describedService } from '../pages/service-description.ts';
import type { ComposedService, Deps } from '../service.ts';
import type { ReadinessAnswers } from './readiness.ts';
import type { RunningVerifier } from './verifier-of.ts';
import { version } from './version.ts';

interface ServerParts {
  readonly name: ServiceName;
  readonly composed: ComposedService;
  readonly deps: Deps;
  readonly verifier: RunningVerifier;
  readonly readiness: ReadinessAnswers;
  readonly sharedMetrics: () => Promise<string>;
}

export interface ServiceServer {
  readonly server: FrontServer;
  /** Of the routes it serves; undefined for a server the service brought itself. */
  readonly routesDigest: string | undefined;
  open(): Promise<void>;
  drain(): void;
  close(): Promise<void>;
}

/** The server a service brings itself, or the one made of its contracts. */
export function serverOf({
  name,
  composed,
  deps,
  verifier,
  readiness,
  sharedMetrics,
}: ServerParts): ServiceServer {
  if (composed.server !== undefined) {
    const { server, open, drain, close } = composed.server({ verifier, sharedMetrics, version });
    return {
      server,
      routesDigest: undefined,
      open: async () => open?.(),
      drain() {
        readiness.drain();
        drain();
      },
      close,
    };
  }

  const { routes } = composed;
  const endpoints = routes.map(({ endpoint }) => endpoint);
  const described = describedService(name, endpoints);
  const pages = operationPages({
    described,
    readiness: readiness.ask,
    metrics: async () => `${await sharedMetrics()}\n${await deps.metrics.render()}`,
    metricsType: deps.metrics.contentType,
    openApi: () => openApiOf({ title: `Marimo ERP: ${name}`, version, endpoints }),
  });
  const { database, log, metrics, clock } = deps;
  const draining = () => readiness.draining;
  const serving = { service: name, database, verifier, log, metrics, clock };
  const app = createApp({ ...serving, routes, pages, draining });
  const longestDeadlineMs = Math.max(0, ...endpoints.map(({ deadlineMs = 0 }) => deadlineMs));
  const server = createHardenedServer(app, { requestTimeoutMs: Math.max(60_000, longestDeadlineMs + 5_000) });
  return {
    server,
    routesDigest: described.digest,
    open: async () => {},
    drain: readiness.drain,
    close: async () => {},
  };
}
