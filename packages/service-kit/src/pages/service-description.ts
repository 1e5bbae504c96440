import { hash } from 'node:crypto';
import { type AnyEndpoint, describeService, type ServiceDescription } from '@marimo/contracts';
import { permissions as declared } from '@marimo/contracts/all';
import { version as ourVersion } from '../platform/version.ts';

export interface DescribedService {
  readonly description: ServiceDescription;
  /** Of everything but the version: the same routes have the same digest, whoever serves them. */
  readonly digest: string;
}

/** Where a service describes its routes; never passed by a gateway. */
export const routesPath = (service: string): string => `/internal/${service}/routes`;

/** What a service says of itself, and its digest, which stands in its registration. */
export function describedService(
  service: string,
  endpoints: readonly AnyEndpoint[],
  { version = ourVersion, permissions = declared }: Partial<DescribeOptions> = {},
): DescribedService {
  const description = describeService({ service, version }, endpoints, permissions);
  const { version: _, ...content } = description;
  return { description, digest: hash('sha256', JSON.stringify(content)).slice(0, 32) };
}

export interface DescribeOptions {
  readonly version: string;
  readonly permissions: readonly { readonly name: string }[];
}
