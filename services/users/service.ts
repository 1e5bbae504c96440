import { type BackgroundWork, type Deps, defineService, type ServiceDefinition } from '@marimo/service-kit';
import { accessReportRoutes } from './src/access-reports/index.ts';
import { deviceSessionRoutes } from './src/device-sessions/index.ts';
import { housekeeping } from './src/housekeeping.ts';
import { invitationRoutes } from './src/invitations/index.ts';
import { mailLinkRoutes } from './src/mail-links/index.ts';
import { memberRoutes } from './src/members/index.ts';
import { closing, organisationLifeRoutes } from './src/organisation-life/index.ts';
import { organisationRoutes } from './src/organisations/index.ts';
import { makeParts, type Parts } from './src/parts.ts';
import { peopleRoutes } from './src/people/index.ts';
import { personalDataRoutes } from './src/personal-data/index.ts';
import { registrationRoutes } from './src/registration/index.ts';
import { assignmentRoutes, roleRoutes } from './src/roles/index.ts';
import { secondFactorRoutes } from './src/second-factors/index.ts';
import { serviceAccountRoutes } from './src/service-accounts/index.ts';
import { serviceTokenRoutes } from './src/service-tokens/index.ts';
import { sessionRoutes } from './src/sessions/index.ts';
import { type UsersSettings, usersSettings } from './src/settings.ts';
import { signInProviderRoutes } from './src/sign-in-providers/index.ts';
import { rotatingKeys, signingKeyRoutes } from './src/signing-keys/index.ts';
import { workplaceRoutes } from './src/workplaces/index.ts';

const verifyingTokens: BackgroundWork<Parts> = {
  name: 'verifying tokens',
  start:
    async (_, { verifier }) =>
    () =>
      verifier.close(),
};

/** @param passwordCost bcrypt's work factor; only tests choose */
export function usersService({ passwordCost }: { readonly passwordCost?: number } = {}): ServiceDefinition {
  return defineService({
    name: 'users',
    migrations: new URL('./migrations/', import.meta.url),
    settings: usersSettings,
    parts: (deps: Deps, settings: UsersSettings) => makeParts(deps, settings, passwordCost),
    routes: [
      organisationRoutes,
      organisationLifeRoutes,
      memberRoutes,
      invitationRoutes,
      workplaceRoutes,
      registrationRoutes,
      sessionRoutes,
      signingKeyRoutes,
      serviceTokenRoutes,
      mailLinkRoutes,
      peopleRoutes,
      personalDataRoutes,
      deviceSessionRoutes,
      secondFactorRoutes,
      roleRoutes,
      assignmentRoutes,
      accessReportRoutes,
      serviceAccountRoutes,
      signInProviderRoutes,
    ],
    background: [housekeeping, rotatingKeys, closing, verifyingTokens],
    verifier: ({ verifier }) => verifier,
  });
}

export const users = usersService();
