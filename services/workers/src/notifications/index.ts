export { notificationConsumer } from './consumer.ts';
export { notificationRoutes } from './routes.ts';
