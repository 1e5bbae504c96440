export type { FactorKeys, SealedSecret } from './factor-keys.ts';
export { forgetUnanswered, resealFactorKeys } from './housekeeping.ts';
export { type SecondFactorParts, secondFactorParts } from './parts.ts';
export { type RegisteringStep, registeringStep } from './registering.ts';
export { forgetSecondFactors } from './reset-routes.ts';
export { secondFactorRoutes } from './routes.ts';
export { createSecondStep } from './second-step.ts';
