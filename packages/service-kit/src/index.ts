export type { Caller, CallerVerifier, CallingService, TokenVerifier } from './caller.ts';
export { type AppOptions, createApp } from './http/app.ts';
export { isPathOf } from './http/check-routes.ts';
export { compressReplies } from './http/compress.ts';
export { cursorOf, readCursor } from './http/cursor.ts';
export { alreadyHas, etagOf, requireMatch } from './http/etag.ts';
export { requestIdOf } from './http/exchange.ts';
export {
  createHardenedServer,
  type FrontServer,
  type Listening,
  listen,
  type ServerLimits,
} from './http/listen.ts';
export { type PageOrder, readPage, type Slice } from './http/page.ts';
export { httpMetrics } from './http/record.ts';
export { requireFound } from './http/require-found.ts';
export { sendProblem } from './http/send.ts';
export { kitMigrations } from './idempotency/migrations.ts';
export type { Outcome } from './idempotency/once-only.ts';
export { numberSeriesRoutes } from './numbering/routes.ts';
export type { Organisations } from './organisations/organisations.ts';
export type { OrganisationFacts } from './organisations/store.ts';
export { docsPages } from './pages/docs.ts';
export { type OpenApiOptions, openApiOf } from './pages/openapi.ts';
export type { Readiness } from './pages/operations.ts';
export { type DescribedService, describedService, routesPath } from './pages/service-description.ts';
export { noDatabase } from './platform/no-database.ts';
export type { Observed, Platform } from './platform/platform.ts';
export { runService } from './platform/run-service.ts';
export { runUntilAsked } from './platform/run-until-asked.ts';
export { PortTaken } from './platform/serve.ts';
export { type PlatformOptions, startPlatform } from './platform/start-platform.ts';
export { consumersOf, type RunningService, startService } from './platform/start-service.ts';
export { type ChangeCommand, type CreateCommand, ifVersionOf, type MoveCommand } from './records/commands.ts';
export { customFieldRoutes } from './records/custom-field-routes.ts';
export { recordRoutes } from './records/routes.ts';
export { type Call, handle, type Reply, type Route, reply, type SignedInCall } from './route.ts';
export {
  type BackgroundWork,
  type Deps,
  defineService,
  type OwnServer,
  type ServerTools,
  type ServiceDefinition,
} from './service.ts';
export { type Environment, readVariables, url, wholeNumber } from './settings/own-settings.ts';
export { readSettings } from './settings/read-settings.ts';
export { keptSecret, weaknessesOf } from './settings/secrets.ts';
export { type ServiceSecrets, secretOf, serviceSecretOf } from './settings/service-secrets.ts';
export type { Settings } from './settings/settings.ts';
export { SettingsInvalid } from './settings/settings-invalid.ts';
export {
  type JwksVerifier,
  type JwksVerifierOptions,
  jwksVerifier,
  type TokenSource,
} from './tokens/jwks-verifier.ts';
export { type ReadToken, readToken } from './tokens/read-token.ts';
export { type GroupMember, type GroupOptions, groupCommit } from './transactions/group-commit.ts';
export {
  type LimitConcurrency,
  limitConcurrencyByKey,
  type Patience,
} from './transactions/limit-concurrency.ts';
