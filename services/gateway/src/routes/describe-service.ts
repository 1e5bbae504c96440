import { isIPv6 } from 'node:net';
import { ServiceDescription } from '@marimo/contracts';
import type { Instance } from '@marimo/discovery';
import { routesPath } from '@marimo/service-kit';
import { Agent } from 'undici';
import { z } from 'zod';

export type DescribeResult =
  | { readonly kind: 'described'; readonly digest: string; readonly description: ServiceDescription }
  /** It still serves the known description. */
  | { readonly kind: 'unchanged' }
  /** It has no such page, because it is older than the page. */
  | { readonly kind: 'missing' }
  /** It answered with something other than a description. */
  | { readonly kind: 'invalid'; readonly mistakes: readonly string[] };

/** Fetches the descriptions of instances. Throws when one does not answer. */
export interface DescribeClient {
  routes(instance: Instance, known: string | undefined): Promise<DescribeResult>;
  /** Its `/openapi.json`; undefined where it has none. */
  openApi(instance: Instance): Promise<unknown>;
  close(): Promise<void>;
}

const patienceMs = 2_000;
const longestBytes = 4 * 1_048_576;
const Digest = z.object({ digest: z.string().regex(/^[\w-]{8,100}$/) });

export function describeClient(): DescribeClient {
  // Separate, so that it shares no connections with requests.
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
        if (statusCode === 404) return { kind: 'missing' };
        throw new Error(`it answered with ${statusCode}`);
      }
      const json = readJson(await body.text());
      const read = z.intersection(ServiceDescription, Digest).safeParse(json);
      if (!read.success) return { kind: 'invalid', mistakes: read.error.issues.slice(0, 10).map(issueText) };
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
    return undefined; // refused by the schema
  }
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('/')}: ${message}`;
}

function originOf({ host, port }: Instance): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
