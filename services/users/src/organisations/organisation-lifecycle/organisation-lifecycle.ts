import { type identity, organisations } from '@marimo/contracts/users';

export type Step = 'suspend' | 'resume' | 'close' | 'reopen';

const steps: Record<
  Step,
  { readonly from: readonly identity.OrganisationState[]; readonly to: identity.OrganisationState }
> = {
  suspend: { from: ['active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  close: { from: ['active', 'suspended'], to: 'closing' },
  reopen: { from: ['closing'], to: 'active' },
};

/**
 * The state after a step; undefined where the step was taken before, so that a repetition changes nothing.
 *
 * Errors: OrganisationNotInState.
 */
export function stateAfter(
  step: Step,
  state: identity.OrganisationState,
): identity.OrganisationState | undefined {
  const { from, to } = steps[step];
  if (state === to) return undefined;
  if (!from.includes(state)) throw new organisations.OrganisationNotInState({ state, needed: [...from] });
  return to;
}

/** Until when an organisation that begins to close now can be reopened. */
export function closesAt(now: Date): Date {
  return new Date(now.getTime() + organisations.reopenWithinDays * 24 * 60 * 60 * 1_000);
}

/** The day of a moment in a time zone: YYYY-MM-DD. */
export function dayOf(moment: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

/** The settings with those changed that are wanted otherwise. */
export function settingsAfter(
  present: organisations.OrganisationSettings,
  wanted: organisations.ChangeOrganisation,
): organisations.OrganisationSettings {
  const {
    name = present.name,
    language = present.language,
    timeZone = present.timeZone,
    requireSecondFactor = present.requireSecondFactor,
    strictSeparation = present.strictSeparation,
  } = wanted;
  return { ...present, name, language, timeZone, requireSecondFactor, strictSeparation };
}

/** Whether a change takes protection away: that must not be somebody at a desk left open. */
export function lowersProtection(
  present: organisations.OrganisationSettings,
  after: organisations.OrganisationSettings,
): boolean {
  return (
    (present.requireSecondFactor && !after.requireSecondFactor) ||
    (present.strictSeparation && !after.strictSeparation)
  );
}
