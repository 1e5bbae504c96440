export type { Database, Transaction, TransactionOptions } from './database.ts';
export type { ServerAddress } from './settings.ts';
