import type { Deps, Route } from '@marimo/service-kit';
import type { LinkTokens } from '../mail-links/index.ts';
import type { SessionParts } from '../sessions/index.ts';
import { emailRoutes } from './email.ts';
import { createMailLimits } from './mail-limits.ts';
import { passwordChangeRoute } from './password-change.ts';
import { passwordResetRoutes } from './password-reset.ts';
import { profileRoute } from './profile.ts';

export { type Addressee, askToVerify, securityNotice, securityNoticeTo } from './account-emails.ts';
export { requirePerson } from './require-person.ts';

export interface PeopleParts extends SessionParts {
  readonly links: LinkTokens;
}

export function peopleRoutes(deps: Deps, parts: PeopleParts): readonly Route[] {
  const limits = createMailLimits(deps.cache);
  return [
    profileRoute(deps),
    passwordChangeRoute(deps, parts),
    ...passwordResetRoutes(deps, parts, limits),
    ...emailRoutes(deps, parts.links, limits),
  ];
}
