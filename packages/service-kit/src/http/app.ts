import { parse } from 'node:querystring';
import { Absent, MalformedRequest, MethodNotAllowed } from '@marimo/contracts';
import type { Log, Metrics } from '@marimo/observability';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Route } from '../route.ts';
import { answer, type Serving } from './answer.ts';
import { checkRoutes } from './check-routes.ts';
import { compressReplies } from './compress.ts';
import { type Deprecating, deprecations } from './deprecation.ts';
import { requestIdHeader, requestIdOf } from './exchange.ts';
import { type RecordExchange, recordExchanges } from './record.ts';
import { sendProblem } from './send.ts';

/** An API answers programs: no page may be built from what it says. The documentation page sets its own. */
const securityHeaders = helmet({
  xFrameOptions: { action: 'deny' },
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
});

export interface AppOptions extends Serving {
  readonly routes: readonly Route[];
  /** Health, metrics, documentation: served without a contract. */
  readonly pages?: RequestHandler;
  readonly metrics: Metrics;
  /** While true every answer asks its caller to take another connection. */
  readonly draining?: () => boolean;
}

export function createApp({ routes, pages, draining = () => false, ...serving }: AppOptions): Express {
  checkRoutes(serving.service, routes);
  const app = express();
  app.disable('etag').enable('case sensitive routing').enable('strict routing');
  // Flat: `a[b]=c` is a field of that very name, which no contract knows. A field given twice is an array.
  app.set('query parser', (text: string) => parse(text));

  app.use(beginExchange(recordExchanges(serving.metrics, serving.log), draining), securityHeaders);
  app.use(compressReplies((res) => res.locals.exchange.secret));
  if (pages !== undefined) app.use(pages);
  mount(app, routes, serving, deprecations(serving.metrics));
  app.use((req, res) => sendProblem(req, res, new Absent({ resource: 'route' })));
  app.use(expressFailure(serving.log));
  return app;
}

function beginExchange(record: RecordExchange, draining: () => boolean): RequestHandler {
  return (req, res, next) => {
    const exchange = {
      requestId: requestIdOf(req),
      startedAt: performance.now(),
      route: 'unknown',
      sentBytes: 0,
      cost: { statements: 0 },
      secret: false,
    };
    res.locals.exchange = exchange;
    res.setHeader(requestIdHeader, exchange.requestId);
    if (draining()) res.setHeader('connection', 'close');
    res.once('close', () => record(req, res, exchange));
    next();
  };
}

function mount(app: Express, routes: readonly Route[], serving: Serving, warn: Deprecating): void {
  // In this order `/accounts/import` comes before `/accounts/{accountId}`, which would take it too: `{` sorts last.
  const places = [...Map.groupBy(routes, ({ endpoint }) => endpoint.path)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  for (const [path, ofPath] of places) {
    const place = app.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of ofPath) {
      const verb = route.endpoint.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
      place[verb](...warn(route.endpoint), answer(route, serving));
    }
    const methods = ofPath.map(({ endpoint }) => endpoint.method);
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    place.all((req, res) => {
      res.locals.exchange.route = path;
      sendProblem(req, res, new MethodNotAllowed({ allowed }));
    });
  }
}

/** What Express itself could not read, such as `%zz` in the address, and defects in our own layers. */
function expressFailure(log: Log): ErrorRequestHandler {
  return (error, req, res, next) => {
    if (res.headersSent) return next(error);
    const isBadAddress = error instanceof URIError;
    const errors = [{ pointer: '', detail: 'the address is not well-formed' }];
    if (!isBadAddress) log.error('a request failed', { error });
    sendProblem(req, res, isBadAddress ? new MalformedRequest({ errors }) : error);
  };
}
