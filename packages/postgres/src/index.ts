export {
  type Administrator,
  asAdministrator,
  createDatabaseIfMissing,
  openAdministrator,
} from './administrator.ts';
export {
  type CatalogueOptions,
  checkCatalogue,
  type GlobalTable,
  globalTables,
  type Violation,
} from './catalogue/check.ts';
export type { Database, TenantTransaction, Transaction, TransactionOptions } from './database.ts';
export { runningEmbeddedServer } from './embedded/running.ts';
export { type EmbeddedServer, type EmbeddedServerOptions, startEmbeddedServer } from './embedded/server.ts';
export { DatabaseUnavailable, StatementCancelled, violatedConstraint } from './failures.ts';
export { type MigrateOptions, migrate } from './migrate.ts';
export { type DatabaseOptions, openDatabase } from './open-database.ts';
export { type LoginRole, passwordOf, roleName } from './roles.ts';
export { hostOf, type ServerAddress } from './settings.ts';
export { containsText } from './text-search.ts';
