import type { AnyEndpoint } from '@marimo/contracts';
import { gatewayContract } from '@marimo/contracts/all';
import type { Routing } from '../routes/index.ts';
import { type MergedOpenApi, mergedOpenApi, pageOf } from './openapi.ts';

export interface Documentation {
  text(): string;
  /** What two services name alike though it differs, and what became of it. */
  conflicts(): readonly string[];
}

export interface DocumentationParts {
  readonly contracts: Readonly<Record<string, readonly AnyEndpoint[]>>;
  readonly routing: Pick<Routing, 'learnedPages' | 'onChange'>;
  readonly version: string;
}

/** The page of all APIs: of each service as it describes itself, else as the contracts do. Made when it is asked for. */
export function documentation({ contracts, routing, version }: DocumentationParts): Documentation {
  const declared = Object.entries({ gateway: gatewayContract.endpoints, ...contracts }).map(
    ([service, endpoints]) => [service, pageOf(service, endpoints, version)] as const,
  );
  const merge = (learned: ReadonlyMap<string, unknown>) =>
    mergedOpenApi(new Map([...declared, ...learned]), version);
  const first = merge(new Map());
  if (first.conflicts.length > 0)
    throw new Error(`The contracts contradict each other: ${first.conflicts.join('; ')}`);

  let made: { readonly text: string; readonly conflicts: MergedOpenApi['conflicts'] } | undefined;
  routing.onChange(() => {
    made = undefined;
  });
  const current = () => {
    if (made === undefined) {
      const learned = routing.learnedPages();
      const { page, conflicts } = learned.size === 0 ? first : merge(learned);
      made = { text: JSON.stringify(page), conflicts };
    }
    return made;
  };
  return { text: () => current().text, conflicts: () => current().conflicts };
}
