import { isIPv6 } from 'node:net';
import { ServiceDescription } from '@marimo/contracts';
import type { Instance } from '@marimo/discovery';
import { routesPath } from '@marimo/service-kit';
import { Agent } from 'undici';
import { z } from 'zod';

export type Said =
  | { readonly kind: 'described'; readonly digest: string; readonly description: ServiceDescription }
  /** It serves what we knew of it. */
  | { readonly kind: 'unchanged' }
  /** It has no such page: it was built before there was one. */
  | { readonly kind: 'silent' }
  /** It answered with something that is no description. */
  | { readonly kind: 'garbled'; readonly mistakes: readonly string[] };

/** Asks instances what they serve. Throws when one does not answer. */
export interface Asking {
  routes(instance: Instance, known: string | undefined): Promise<Said>;
  /** Its `/openapi.json`; undefined where it has none. */
  openApi(instance: Instance): Promise<unknown>;
  close(): Promise<void>;
}

const patienceMs = 2_000;
const longestBytes = 4 * 1_048_576;
const Digest = z.object({ digest: z.string().regex(/^[\w-]{8,100}$/) });

export function askInstances(): Asking {
  // Of its own, so that asking never waits for, or takes from, the connections of requests.
  const agent = new Agent({ connections: 2, maxResponseSize: longestBytes, keepAliveTimeout: 10_000 });
  const get = (instance: Instance, path: string, headers: Record<string, string> = {}) =>
    agent.request({
      origin: originOf(instance),
      method: 'GET',
      path,
      headers,
      signal: AbortSignal.timeout(patienceMs),
    });
  return {
    async routes(instance, known) {
      const headers: Record<string, string> = known === undefined ? {} : { 'if-none-match': `"${known}"` };
      const { statusCode, body } = await get(instance, routesPath(instance.service), headers);
      if (statusCode !== 200) {
        await body.dump();
        if (statusCode === 304) return { kind: 'unchanged' };
        if (statusCode === 404) return { kind: 'silent' };
        throw new Error(`it answered with ${statusCode}`);
      }
      const json = readJson(await body.text());
      const read = z.intersection(ServiceDescription, Digest).safeParse(json);
      if (!read.success) return { kind: 'garbled', mistakes: read.error.issues.slice(0, 10).map(told) };
      const { digest, ...description } = read.data;
      return { kind: 'described', digest, description };
    },
    async openApi(instance) {
      const { statusCode, body } = await get(instance, '/openapi.json');
      if (statusCode === 200) return body.json();
      await body.dump();
      return undefined;
    },
    close: () => agent.destroy(),
  };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no description either
  }
}

function told({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('/')}: ${message}`;
}

function originOf({ host, port }: Instance): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
