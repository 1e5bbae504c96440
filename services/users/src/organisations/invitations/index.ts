import type { Deps, Route } from '@marimo/service-kit';
import { acceptingRoutes, type InvitationParts } from './accepting.ts';
import { invitingRoutes } from './inviting.ts';

export function invitationRoutes(deps: Deps, parts: InvitationParts): readonly Route[] {
  return [...invitingRoutes(deps), ...acceptingRoutes(deps, parts)];
}
