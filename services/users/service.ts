import { type BackgroundWork, type Deps, defineService, type ServiceDefinition } from '@marimo/service-kit';
import { accessReportRoutes } from './src/access/access-reports/index.ts';
import { assignmentRoutes, roleRoutes } from './src/access/roles/index.ts';
import { serviceAccountRoutes } from './src/access/service-accounts/index.ts';
import { housekeeping } from './src/housekeeping.ts';
import { deviceSessionRoutes } from './src/identity/device-sessions/index.ts';
import { mailLinkRoutes } from './src/identity/mail-links/index.ts';
import { personalDataRoutes } from './src/identity/personal-data/index.ts';
import { secondFactorRoutes } from './src/identity/second-factors/index.ts';
import { peopleRoutes } from './src/identity/self-service/index.ts';
import { serviceTokenRoutes } from './src/identity/service-tokens/index.ts';
import { sessionRoutes } from './src/identity/sessions/index.ts';
import { signInProviderRoutes } from './src/identity/sign-in-providers/index.ts';
import { rotatingKeys, signingKeyRoutes } from './src/identity/signing-keys/index.ts';
import { invitationRoutes } from './src/organisations/invitations/index.ts';
import { memberRoutes } from './src/organisations/members/index.ts';
import { membershipRoutes } from './src/organisations/memberships/index.ts';
import { closing, organisationLifecycleRoutes } from './src/organisations/organisation-lifecycle/index.ts';
import { organisationRoutes } from './src/organisations/organisations/index.ts';
import { registrationRoutes } from './src/organisations/registration/index.ts';
import { makeParts, type Parts } from './src/parts.ts';
import { type UsersSettings, usersSettings } from './src/settings.ts';

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
      organisationLifecycleRoutes,
      memberRoutes,
      invitationRoutes,
      membershipRoutes,
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
