export type { CallInput, ServiceClient } from './client.ts';
