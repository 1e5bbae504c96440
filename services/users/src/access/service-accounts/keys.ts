import { apiKeys } from '@marimo/contracts/users';
import type { Outbox } from '@marimo/messaging';
import type { Transaction } from '@marimo/postgres';
import { endKeys, forgetPersonIn, type KeysMeant, listKeys, voidTokens } from './key-store.ts';
import type { KeyOwner } from './store.ts';

/** A page that holds all keys of one person. */
const everyKey = { after: undefined, limit: 10_000 };

/**
 * Ends API keys for good in the tenant of the transaction, and their access tokens everywhere within seconds. For what
 * takes from somebody the right to act here for ever: a member is gone, an organisation is closed (`{ all: true }`).
 * Tells how many there were; keys that had ended stay as they are.
 */
export async function endKeysOf(
  tx: Transaction,
  outbox: Outbox,
  whose: KeyOwner | { readonly all: true },
  now: Date,
): Promise<number> {
  const ended = await endKeys(tx, whose, now);
  await tellEnded(tx, outbox, ended);
  return ended.length;
}

/**
 * Voids the access tokens of the keys of a member or a service account, without ending a key: their rights have
 * changed, and the next exchange of the key brings the new ones, or none while the owner may not act. Call it after the
 * change, in its transaction.
 */
export async function voidKeyTokensOf(
  tx: Transaction,
  whose: KeyOwner | { readonly all: true },
  now: Date,
): Promise<void> {
  await voidTokens(tx, whose, now);
}

/** For an erasure: ends the person's keys here, and forgets what they called them and where they used them. */
export async function eraseKeysOf(
  tx: Transaction,
  outbox: Outbox,
  personId: string,
  now: Date,
): Promise<void> {
  await forgetPersonIn(tx, personId); // first, so that the events of the end say no more than is kept
  await endKeysOf(tx, outbox, { personId }, now);
}

/** For a person who asks what is kept of them: their keys here, without secrets, newest first. */
export function keysOfPerson(tx: Transaction, personId: string): Promise<apiKeys.ApiKey[]> {
  return listKeys(tx, { personId }, everyKey);
}

/** Ends one key; again changes nothing. */
export async function endKey(tx: Transaction, outbox: Outbox, keyId: string, now: Date): Promise<void> {
  await tellEnded(tx, outbox, await endKeys(tx, { keyId } satisfies KeysMeant, now));
}

async function tellEnded(tx: Transaction, outbox: Outbox, ended: readonly apiKeys.ApiKey[]): Promise<void> {
  await outbox.addAll(
    tx,
    apiKeys.revoked,
    ended.map((key) => ({ subject: key.keyId, data: factOf(key) })),
  );
}

/** What events tell of a key. */
export function factOf({ keyId, accountId, personId, name, prefix, scopes, expiresAt }: apiKeys.ApiKey) {
  return { keyId, accountId, personId, name, prefix, scopes, expiresAt };
}
