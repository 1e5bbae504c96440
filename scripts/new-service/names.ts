import { servicePorts } from '@marimo/contracts';

/** One name in all the ways the code writes it. */
export interface Names {
  readonly service: string;
  /** `Shop`. */
  readonly pascalService: string;
  readonly port: number;
  /** `price-list`, `price-lists`: files and paths. */
  readonly kebab: string;
  readonly kebabs: string;
  /** `priceList`, `priceLists`. */
  readonly camel: string;
  readonly camels: string;
  /** `PriceList`, `PriceLists`. */
  readonly pascal: string;
  readonly pascals: string;
  /** `price_list`: tables and columns. */
  readonly snake: string;
  /** `price list`, `price lists`. */
  readonly words: string;
  readonly plural: string;
}

/** What means several things, or something to SQL, needs a word more. */
const ambiguous = ['account', 'group', 'order', 'table', 'transaction', 'user'];

export function namesOf(service: string, resource: string): Names {
  if (!Object.hasOwn(servicePorts, service)) {
    throw new Error(`${service} is none of the platform's services: ${Object.keys(servicePorts).join(', ')}`);
  }
  if (!/^[a-z]+(-[a-z]+)*$/.test(resource)) {
    throw new Error(`a resource is named in the singular, in lower case with dashes, such as price-list`);
  }
  if (/[^s]s$/.test(resource))
    throw new Error(`${resource} is a plural: a resource is named in the singular`);
  if (ambiguous.includes(resource)) {
    throw new Error(`"${resource}" alone is ambiguous: say which, such as sales-${resource}`);
  }
  const resources = pluralOf(resource);
  return {
    service,
    pascalService: pascalOf(service),
    port: servicePorts[service as keyof typeof servicePorts],
    kebab: resource,
    kebabs: resources,
    camel: camelOf(resource),
    camels: camelOf(resources),
    pascal: pascalOf(resource),
    pascals: pascalOf(resources),
    snake: resource.replaceAll('-', '_'),
    words: resource.replaceAll('-', ' '),
    plural: resources.replaceAll('-', ' '),
  };
}

function pluralOf(word: string): string {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

const pascalOf = (kebab: string) =>
  kebab.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
const camelOf = (kebab: string) => kebab.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
