export { emailConsumer } from './consumer.ts';
export { emailRoutes } from './routes.ts';
export { emailSender } from './sender.ts';
