export { endSessionsOfAllBut, leaveSession, voidAllAccessTokens } from './all-sessions.ts';
export { type KnownDevices, knownDevices } from './known-device.ts';
export { type SignInMetrics, signInMetrics } from './metrics.ts';
export { networkOf } from './network.ts';
export { passwordProof } from './password-proof.ts';
export {
  hasPersonalAuthentication,
  methodsElsewhere,
  requireAccountControl,
  requirePersonalAuthentication,
} from './personal-authentication.ts';
export { lockLivingSession, updateProof } from './proof-store.ts';
export { forgetOldRevocations, readRevocations } from './revocations.ts';
export { type SessionParts, sessionRoutes } from './routes.ts';
export type { FirstStepDone, SecondStep } from './second-step.ts';
export {
  type AuthenticatedSession,
  actingAs,
  type EndOfSessions,
  endSession,
  endSessionsOf,
  issueFor,
  type ProofOfIdentity,
  type StartedSession,
  signedIn,
  startSession,
  voidAccessTokens,
} from './sessions.ts';
export { createOwnThrottle, type OwnAttempt } from './throttle.ts';
