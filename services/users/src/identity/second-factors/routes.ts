import type { Deps, Route } from '@marimo/service-kit';
import { enrolmentRoutes } from './enrolment-routes.ts';
import { factorRoutes } from './factor-routes.ts';
import { signInRoutes } from './login-routes.ts';
import type { SecondFactorParts } from './parts.ts';
import { resetRoutes } from './reset-routes.ts';
import { stepUpRoutes } from './step-up-routes.ts';

export function secondFactorRoutes(deps: Deps, parts: SecondFactorParts): readonly Route[] {
  return [
    ...signInRoutes(deps, parts),
    ...stepUpRoutes(deps, parts),
    ...enrolmentRoutes(deps, parts),
    ...factorRoutes(deps),
    ...resetRoutes(deps),
  ];
}
