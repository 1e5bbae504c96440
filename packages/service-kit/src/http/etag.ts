import { Stale } from '@marimo/contracts';

/** A strong entity tag for a version that grows with every change. */
export function etagOf(version: number | bigint | string): string {
  return `"${version}"`;
}

/**
 * For a change to something that has a version: throws `Stale` when the caller's `If-Match` names another one.
 * Without the header the change goes ahead. Check it on a row that is locked, or the race is still open.
 */
export function requireMatch(
  call: { readonly ifMatch: string | undefined },
  version: number | bigint | string,
): void {
  const etag = etagOf(version);
  if (call.ifMatch !== undefined && !names(call.ifMatch, etag)) throw new Stale({ etag });
}

/** Whether the caller already has this version (`If-None-Match`, RFC 9110 13.1.2: a weak tag will do). */
export function alreadyHas(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && names(ifNoneMatch.replaceAll('W/', ''), etag.replace('W/', ''));
}

/** Our tags hold no comma, so a list can be split at them. */
function names(list: string, etag: string): boolean {
  return list.split(',').some((one) => one.trim() === '*' || one.trim() === etag);
}
