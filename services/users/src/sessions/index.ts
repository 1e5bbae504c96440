export { type SignInMetrics, signInMetrics } from './metrics.ts';
export { forgetOldRevocations, readRevocations } from './revocations.ts';
export { type SessionParts, sessionRoutes } from './routes.ts';
export { actingAs, type StartedSession, signedIn, startSession } from './sessions.ts';
