export { Answer } from './answer.ts';
export type { CallOptions } from './call.ts';
export { type TestClock, testClock } from './clock.ts';
export {
  type SchemaUnderTest,
  type TestDatabase,
  type TestDatabaseOptions,
  testDatabase,
  useDatabase,
} from './database.ts';
export { type EarlierDatabase, earlierDatabase } from './earlier-database.ts';
export { forgedServiceTokens } from './forged-service-tokens.ts';
export { type ForgedToken, forgedTokens } from './forged-tokens.ts';
export * from './outside.ts';
export { testInternalSecret } from './platform.ts';
export {
  type DeliveredEvent,
  type ServiceUnderTest,
  type ServiceUnderTestOptions,
  serviceUnderTest,
} from './service.ts';
export {
  makeSigner,
  serviceTokenFor,
  sharedSigner,
  type TestSigner,
  type TokenHolder,
  testTenantId,
  testUserId,
  tokenFor,
} from './tokens.ts';
export { useService } from './use-service.ts';
