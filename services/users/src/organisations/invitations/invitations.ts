import { invitations } from '@marimo/contracts/users';

const day = 24 * 60 * 60 * 1_000;

/** More people than any company takes in by hand in a day. */
export const mailsADay = 200;
export const countedForMs = day;
/** Between two mails to the same address. */
export const betweenMailsMs = 60_000;

/** A week from now, but never longer than the roles it gives. */
export function expiryOf(now: Date, validUntil: Date | null): Date {
  const week = now.getTime() + invitations.lastsDays * day;
  return new Date(Math.min(week, validUntil?.getTime() ?? week));
}
