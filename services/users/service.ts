import { type Deps, defineService, type ServiceDefinition } from '@marimo/service-kit';
import { accessReportRoutes } from './src/access-reports/index.ts';
import { deviceSessionRoutes } from './src/device-sessions/index.ts';
import { housekeeping } from './src/housekeeping.ts';
import { invitationRoutes } from './src/invitations/index.ts';
import { mailLinkRoutes } from './src/mail-links/index.ts';
import { memberRoutes } from './src/members/index.ts';
import { closing, organisationLifeRoutes } from './src/organisation-life/index.ts';
import { organisationRoutes } from './src/organisations/index.ts';
import { type Choices, makeParts, type Parts } from './src/parts.ts';
import { peopleRoutes } from './src/people/index.ts';
import { personalDataRoutes } from './src/personal-data/index.ts';
import { registrationRoutes } from './src/registration/index.ts';
import { assignmentRoutes, roleRoutes } from './src/roles/index.ts';
import { secondFactorParts, secondFactorRoutes } from './src/second-factors/index.ts';
import { serviceAccountRoutes } from './src/service-accounts/index.ts';
import { serviceTokenRoutes } from './src/service-tokens/index.ts';
import { sessionRoutes } from './src/sessions/index.ts';
import { signInProviderRoutes } from './src/sign-in-providers/index.ts';
import { rotatingKeys, signingKeyRoutes } from './src/signing-keys/index.ts';
import { workplaceRoutes } from './src/workplaces/index.ts';

export function usersService(choices: Choices = {}): ServiceDefinition {
  const made = new WeakMap<Deps, Parts>();
  const partsOf = (deps: Deps): Parts => {
    const parts = made.get(deps) ?? makeParts(deps, choices);
    made.set(deps, parts);
    return parts;
  };

  return defineService({
    name: 'users',
    migrations: new URL('./migrations/', import.meta.url),
    routes: [
      organisationRoutes,
      organisationLifeRoutes,
      memberRoutes,
      (deps) => invitationRoutes(deps, partsOf(deps)),
      (deps) => workplaceRoutes(deps, partsOf(deps)),
      (deps) => {
        const parts = partsOf(deps);
        return registrationRoutes(deps, { ...parts, ...secondFactorParts(deps, parts) });
      },
      (deps) => sessionRoutes(deps, partsOf(deps)),
      (deps) => signingKeyRoutes(deps, partsOf(deps).keys),
      (deps) => serviceTokenRoutes(deps, partsOf(deps)),
      (deps) => mailLinkRoutes(deps, partsOf(deps).links),
      (deps) => peopleRoutes(deps, partsOf(deps)),
      personalDataRoutes,
      (deps) => deviceSessionRoutes(deps, partsOf(deps)),
      (deps) => secondFactorRoutes(deps, secondFactorParts(deps, partsOf(deps))),
      roleRoutes,
      assignmentRoutes,
      accessReportRoutes,
      (deps) => serviceAccountRoutes(deps, partsOf(deps)),
      (deps) => signInProviderRoutes(deps, partsOf(deps)),
    ],
    background: [
      housekeeping((deps) => partsOf(deps).metrics),
      rotatingKeys((deps) => partsOf(deps).keys),
      closing,
      { name: 'verifying tokens', start: async (deps) => () => partsOf(deps).verifier.close() },
    ],
    verifier: (deps) => partsOf(deps).verifier,
  });
}

export const users = usersService();
