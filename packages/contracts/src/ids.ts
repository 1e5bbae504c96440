import { v7 } from 'uuid';
import { z } from 'zod';

/**
 * Any 128 bits written as a UUID: callers who bring records along make ids from hashes and numbers of their own. In one
 * writing, as PostgreSQL gives it back (RFC 9562, section 4): ids are compared as text.
 */
export const Id = z.guid().toLowerCase();

/** A new UUIDv7 (RFC 9562): unique everywhere, and in order of creation on one machine. */
export function newId(): string {
  return v7();
}
