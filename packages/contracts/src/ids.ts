import { v7 } from 'uuid';
import { z } from 'zod';

export const Id = z.uuid();

/** A new UUIDv7 (RFC 9562): unique everywhere, and in order of creation on one machine. */
export function newId(): string {
  return v7();
}
