import { refusal } from '@marimo/problems';
import { z } from 'zod';

/**
 * The most there can be at a time: far more than anybody needs, and few enough that a program gone wild fills no table
 * and no list becomes endless.
 */
export const mostAtATime = {
  /** Of one service account, or of one member in one organisation; those that work. */
  apiKeys: 20,
  /** Of one organisation; those that are enabled. */
  serviceAccounts: 200,
  /** Of one organisation; those that are not deleted. */
  ownRoles: 200,
  /** Of one organisation; those that can be accepted. */
  openInvitations: 1_000,
  /** Of one organisation, enabled or not. */
  signInProviders: 10,
} as const;

export const Limited = z.enum(Object.keys(mostAtATime) as (keyof typeof mostAtATime)[]);
export type Limited = z.infer<typeof Limited>;

const advice: Record<Limited, string> = {
  apiKeys: 'An owner can have at most %s active API keys. Revoke one first.',
  serviceAccounts: 'The limit is %s enabled service accounts. Disable one first.',
  ownRoles: 'The limit is %s custom roles. Delete an unassigned one first.',
  openInvitations: 'The limit is %s open invitations. Revoke some, or wait until they expire.',
  signInProviders: 'The limit is %s sign-in providers. Change an existing one.',
};

export class LimitReached extends refusal(z.object({ limited: Limited, most: z.int() }), {
  code: 'users.limit-reached',
  kind: 'refused',
  title: 'The limit is reached',
  detail: ({ limited, most }) => advice[limited].replace('%s', String(most)),
}) {}
