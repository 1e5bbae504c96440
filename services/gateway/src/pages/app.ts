import { Absent } from '@marimo/contracts';
import { refusals } from '@marimo/contracts/gateway';
import { compressReplies, docsPages } from '@marimo/service-kit';
import express, { type Application, type ErrorRequestHandler } from 'express';
import type { ProxiedRequest } from '../proxied-request.ts';
import { protection, readClientHeaders } from '../proxy/index.ts';
import type { HealthReader } from './health.ts';
import { homePage, homePolicy } from './home.ts';

export interface PageParts {
  readonly health: HealthReader;
  /** Services `/ready` waits for. */
  readonly expected: () => readonly string[];
  readonly openApi: () => string;
  readonly renderMetrics: () => Promise<string>;
  readonly metricsType: string;
  readonly draining: () => boolean;
  readonly fail: (proxied: ProxiedRequest, thrown: unknown) => void;
}

declare global {
  namespace Express {
    interface Locals {
      proxied: ProxiedRequest;
    }
  }
}

const names = ['/health', '/ready', '/metrics', '/openapi.json', '/docs'];

/** Serves the gateway's own pages. */
export function createPages(parts: PageParts): (proxied: ProxiedRequest) => void {
  const app = pageApp(parts);
  return (proxied) => {
    readClientHeaders(proxied.req); // what is unclear to the services is unclear here too
    app(proxied.req, Object.assign(proxied.res, { locals: { proxied } }));
  };
}

function pageApp({
  health,
  expected,
  openApi,
  renderMetrics,
  metricsType,
  draining,
  fail,
}: PageParts): Application {
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').enable('strict routing');
  app.use((_, res, next) => {
    const { ownHeaders } = res.locals.proxied;
    for (let at = 0; at < ownHeaders.length; at += 2)
      res.setHeader(ownHeaders[at] as string, ownHeaders[at + 1] as string);
    for (const [name, value] of protection) res.setHeader(name, value);
    next();
  });
  app.use(compressReplies(() => false));
  app.use(names, (req, res, next) => {
    res.locals.proxied.route = req.baseUrl;
    next();
  });
  app.get('/', (req, res) => {
    res.locals.proxied.route = '/';
    res.setHeader('content-security-policy', homePolicy);
    res
      .vary('accept-language')
      .type('html')
      .send(homePage(req.acceptsLanguages('en', 'ru') === 'ru' ? 'ru' : 'en'));
  });
  app.get('/health', async (_, res) => {
    res.json(await health.health());
  });
  app.get('/ready', async (_, res) => {
    if (draining()) throw new refusals.PlatformNotReady({ missing: ['gateway'] });
    res.json(await health.requireReady(expected()));
  });
  app.get('/metrics', async (_, res) => {
    res.setHeader('content-type', metricsType).end(await renderMetrics());
  });
  app.get('/openapi.json', (_, res) => {
    res.type('json').end(openApi());
  });
  app.use(docsPages());
  app.use(() => {
    throw new Absent({ resource: 'page' });
  });
  const refusing: ErrorRequestHandler = (error, _req, res, _next) => {
    fail(res.locals.proxied, error);
  };
  app.use(refusing);
  return app;
}
