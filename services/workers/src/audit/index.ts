export { auditConsumer } from './consumer.ts';
export { forgetOldRecords, retentionRoutes } from './retention.ts';
export { auditRoutes } from './routes.ts';
