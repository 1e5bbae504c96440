export { auditConsumer } from './consumer.ts';
export { auditRoutes } from './routes.ts';
