import { Router } from 'express';
import { alreadyHas, etagOf } from '../http/etag.ts';
import { docsPages } from './docs.ts';
import { type DescribedService, routesPath } from './service-description.ts';

export interface Readiness {
  readonly ready: boolean;
  /** What was asked, and whether it is as it should be. */
  readonly checks: Readonly<Record<string, boolean>>;
}

export interface OperationPages {
  readiness(): Promise<Readiness>;
  metrics(): Promise<string>;
  readonly metricsType: string;
  /** Made when somebody asks for it: it takes longer than the rest of a start. */
  openApi(): object;
  readonly described: DescribedService;
}

/** What operators and tools ask of every service; none of it passes the gateway. */
export function operationPages({
  readiness,
  metrics,
  metricsType,
  openApi,
  described,
}: OperationPages): Router {
  const router = Router();
  const { description, digest } = described;
  const routes = routesPath(description.service);
  router.use(['/health', '/ready', '/metrics', '/openapi.json', '/docs', routes], (req, res, next) => {
    res.locals.exchange.route = req.baseUrl;
    res.locals.exchange.quiet = true;
    next();
  });
  // Alive: the event loop turns. Whether it can serve is another question, and no reason to restart it.
  router.get('/health', (_, res) => {
    res.setHeader('cache-control', 'no-store').json({ status: 'ok' });
  });
  router.get('/ready', async (_, res) => {
    const answer = await readiness();
    res
      .status(answer.ready ? 200 : 503)
      .setHeader('cache-control', 'no-store')
      .json(answer);
  });
  router.get('/metrics', async (_, res) => {
    res.setHeader('content-type', metricsType).end(await metrics());
  });
  let openApiText: string | undefined;
  router.get('/openapi.json', (_, res) => {
    openApiText ??= JSON.stringify(openApi());
    res.type('json').end(openApiText);
  });
  const etag = etagOf(digest);
  const descriptionText = JSON.stringify({ ...description, digest });
  // For gateways, which ask again and again: it tells no more than the page above.
  router.get(routes, (req, res) => {
    res.setHeader('cache-control', 'no-store').setHeader('etag', etag);
    if (alreadyHas(req.get('if-none-match'), etag)) res.status(304).end();
    else res.type('json').end(descriptionText);
  });
  router.use(docsPages());
  return router;
}
