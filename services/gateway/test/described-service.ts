import type { RouteDescription, ServiceDescription } from '@marimo/contracts';
import type { Instance } from '@marimo/discovery';
import { describedService } from '@marimo/service-kit';
import { stock, type Upstream, upstream } from './gateway-under-test.ts';

/** A version of the made-up service: its routes by name, in a description of its own. */
export function describedAs(
  version: string,
  routes: readonly RouteDescription[],
  permissions: readonly string[] = [],
): ServiceDescription & { readonly digest: string } {
  const own = describedService('stock', stock, { version, permissions: [] }).description;
  const digest = `digest-${version}`;
  return { ...own, version, permissions: [...permissions], routes: [...own.routes, ...routes], digest };
}

export const route = (path: string, more: Partial<RouteDescription> = {}): RouteDescription => ({
  method: 'GET',
  path: `/api/v1/stock/${path}`,
  access: 'public',
  ...more,
});

export interface DescribedUpstream extends Upstream {
  readonly instance: Instance;
  /** Requests that are not about what it serves, nor how it is. */
  asked(): string[];
}

export interface Behaviour {
  /** What it says of itself; anything, since services can be wrong. */
  readonly says?: () => unknown;
  /** The digest in its registration; that of what it says unless told, none for null. */
  readonly registered?: string | null;
  readonly version?: string;
  readonly status?: () => number;
}

/** An instance that answers every request with its version, and the gateway's question with what it was told to say. */
export async function describedUpstream(
  description: ServiceDescription & { readonly digest: string },
  { says = () => description, registered = description.digest, version, status = () => 200 }: Behaviour = {},
): Promise<DescribedUpstream> {
  const one = await upstream((req, res) => {
    if (req.url === '/internal/stock/routes') {
      // As the kit does: whoever names the digest has no need of the rest.
      const isKnown = req.headers['if-none-match'] === `"${description.digest}"`;
      return isKnown ? res.writeHead(304).end() : res.end(JSON.stringify(says()));
    }
    if (req.url === '/openapi.json') {
      const get = { summary: description.version, tags: ['things'], responses: {} };
      const paths = Object.fromEntries(description.routes.map(({ path }) => [path, { get }]));
      return res.end(JSON.stringify({ openapi: '3.1.0', paths, components: {} }));
    }
    return res.writeHead(req.url?.startsWith('/api/') ? status() : 200).end(description.version);
  });
  const named = { ...one.instance, version: version ?? description.version };
  const instance = registered === null ? named : { ...named, routesDigest: registered };
  const asked = () => one.requests.map(({ url }) => url).filter((url) => url.startsWith('/api/'));
  return { ...one, instance, asked };
}
