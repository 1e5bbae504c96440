import { z } from 'zod';

/** How much of a service's traffic goes to the instances of one version. */
export const CanaryWeight = z.strictObject({
  service: z.string().regex(/^[a-z][a-z0-9-]*$/),
  version: z.string().min(1).max(100),
  /** With at most two decimals; 0 keeps everybody away while another version is up. */
  percent: z.number().min(0).max(100).multipleOf(0.01),
});
export type CanaryWeight = z.infer<typeof CanaryWeight>;

/** What contradicts itself in a list of weights. */
export function mistakesInWeights(weights: readonly CanaryWeight[]): string[] {
  const mistakes: string[] = [];
  for (const [service, ofService] of Map.groupBy(weights, (one) => one.service)) {
    const versions = new Set(ofService.map(({ version }) => version));
    if (versions.size < ofService.length) mistakes.push(`${service}: a version has two weights`);
    const sum = ofService.reduce((total, { percent }) => total + share(percent), 0);
    if (sum > shares) mistakes.push(`${service}: the weights add up to more than 100 %`);
  }
  return mistakes;
}

/** Hundredths of a percent. */
const shares = 10_000;
const share = (percent: number) => Math.round(percent * 100);

/**
 * The version this client belongs to; undefined for those without a weight of their own. It depends on the client and
 * the service alone, so it stays as it is from request to request, in every gateway, and while a share grows.
 *
 * Shape: `weights` are of one service, in the order of their versions.
 */
export function versionFor(weights: readonly CanaryWeight[], client: string): string | undefined {
  const [first] = weights;
  if (first === undefined) return undefined;
  let place = placeOf(`${first.service} ${client}`);
  for (const { version, percent } of weights) {
    place -= share(percent);
    if (place < 0) return version;
  }
  return undefined;
}

/** Of 10,000: FNV-1a with the finish of MurmurHash3, because neighbours (sessions, addresses) must spread evenly. */
function placeOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % shares;
}
