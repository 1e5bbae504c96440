import { isDeepStrictEqual } from 'node:util';
import { normaliseText, StepUpRequired } from '@marimo/contracts';
import { accessTokens, organisations } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';
import {
  type Call,
  type Deps,
  etagOf,
  handle,
  type Route,
  reply,
  requireFound,
  requireMatch,
} from '@marimo/service-kit';
import { voidKeyTokensOf } from '../../access/service-accounts/index.ts';
import { endSessionsOfAllBut, voidAllAccessTokens } from '../../identity/sessions/index.ts';
import {
  getSettings,
  lockOrganisation,
  mayEndPause,
  updateSettings,
  type VersionedSettings,
} from '../organisations/index.ts';
import { announce } from './announcing.ts';
import {
  closesAt,
  lowersProtection,
  type Step,
  settingsAfter,
  stateAfter,
} from './organisation-lifecycle.ts';
import { deleteClosing, listMemberRights, updateClosing } from './store.ts';

export function organisationLifecycleRoutes(deps: Deps): readonly Route[] {
  const step = (name: Step, call: Pick<Call, 'inTenant'>) =>
    call.inTenant(async (tx) => answerWith(await takeStep(tx, deps, name)));
  return [
    changeRoute(deps),
    handle(organisations.suspend, (call) => step('suspend', call)),
    handle(organisations.resume, (call) => step('resume', call)),
    handle(organisations.close, (call) =>
      call.inTenant(async (tx) => answerWith(await takeStep(tx, deps, 'close', call.body.name))),
    ),
    handle(organisations.reopen, (call) => step('reopen', call)),
  ];
}

function changeRoute({ outbox, clock }: Deps): Route {
  return handle(organisations.change, (call) =>
    call.inTenant(async (tx) => {
      const { settings: present, version } = await lockSettings(tx);
      const now = clock();
      requireMatch(call, version);
      const settings = settingsAfter(present, call.body);
      if (lowersProtection(present, settings)) requireRecentProof(call.caller.authenticatedAt, now);
      if (isDeepStrictEqual(settings, present)) return answerWith({ settings, version });

      await updateSettings(tx, settings);
      // What a token grants depends on it: the next one is made by the new rule.
      if (settings.requireSecondFactor !== present.requireSecondFactor) await voidAllAccessTokens(tx, now);
      await outbox.add(tx, organisations.changed, settings.id, settings);
      return answerWith({ settings, version: version + 1 });
    }),
  );
}

const eventOf = {
  suspend: organisations.suspended,
  resume: organisations.resumed,
  close: organisations.closing,
  reopen: organisations.reopened,
} as const;

/** One step in the life of an organisation, with all that follows for those who work there. */
async function takeStep(
  tx: TenantTransaction,
  { outbox, clock }: Deps,
  step: Step,
  writtenName?: string,
): Promise<VersionedSettings> {
  const { settings: present, version } = await lockSettings(tx);
  const now = clock(); // only after the lock: every token made before is older
  if (writtenName !== undefined && writtenName !== normaliseText(present.name))
    throw new organisations.OrganisationNameDiffers({});
  const state = stateAfter(step, present.state);
  if (state === undefined) return { settings: present, version };

  const settings: organisations.OrganisationSettings = {
    ...present,
    state,
    closesAt: state === 'closing' ? closesAt(now) : null,
  };
  await updateSettings(tx, settings);
  if (settings.closesAt === null) await deleteClosing(tx);
  else await updateClosing(tx, settings.closesAt);
  if (state !== 'active') {
    const able = (await listMemberRights(tx, now)).filter(mayEndPause).map(({ personId }) => personId);
    await endSessionsOfAllBut(tx, outbox, able, { reason: 'organisation', now });
  }
  // Also when it goes on: the tokens of the pause grant little.
  await voidAllAccessTokens(tx, now);
  await voidKeyTokensOf(tx, { all: true }, now);
  await outbox.add(tx, eventOf[step], settings.id, settings);
  if (step === 'close' || step === 'reopen') await announce(tx, outbox, settings, now);
  return { settings, version: version + 1 };
}

async function lockSettings(tx: Transaction): Promise<VersionedSettings> {
  await lockOrganisation(tx);
  return requireFound(await getSettings(tx), 'organisation');
}

function answerWith({ settings, version }: VersionedSettings) {
  return reply(200, settings, { etag: etagOf(version) });
}

/** As the kit demands of an endpoint that declares `stepUp`; here it hangs on what the body asks for. */
function requireRecentProof(authenticatedAt: Date | undefined, now: Date): void {
  const ageMs = now.getTime() - (authenticatedAt?.getTime() ?? 0);
  if (ageMs > accessTokens.stepUpWithinSeconds * 1_000)
    throw new StepUpRequired({ maxAgeSeconds: accessTokens.stepUpWithinSeconds });
}
