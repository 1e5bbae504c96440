export { endSessionsOfAllBut, leaveSession, voidAllAccessTokens } from './all-sessions.ts';
export { type KnownDevices, knownDevices } from './known-device.ts';
export { type SignInMetrics, signInMetrics } from './metrics.ts';
export { networkOf } from './network.ts';
export { demandOwnProof, demandSayOverSelf, hasOwnProof, methodsElsewhere } from './own-proof.ts';
export { passwordProof } from './password-proof.ts';
export { holdPerson, keepProof, lockLivingSession } from './proof-store.ts';
export { forgetOldRevocations, readRevocations } from './revocations.ts';
export { type SessionParts, sessionRoutes } from './routes.ts';
export type { FirstStepDone, SecondStep } from './second-step.ts';
export {
  actingAs,
  type EndOfSessions,
  endSession,
  endSessionsOf,
  issueFor,
  type ProofOfIdentity,
  type ProvenIn,
  type StartedSession,
  signedIn,
  startSession,
  voidAccessTokens,
} from './sessions.ts';
export { createOwnThrottle, type OwnAttempt } from './throttle.ts';
