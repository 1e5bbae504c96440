export { type TestClock, testClock } from './clock.ts';
export {
  type SchemaUnderTest,
  type TestDatabase,
  type TestDatabaseOptions,
  testDatabase,
  useDatabase,
} from './database.ts';
export * from './outside.ts';
