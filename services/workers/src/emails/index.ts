export { emailConsumer } from './consumer.ts';
export { emailParts, emailSettings } from './parts.ts';
export { emailRoutes } from './routes.ts';
export { emailSender } from './sender.ts';
