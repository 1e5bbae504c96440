export { workplaceRoutes } from './routes.ts';
export { type Switched, type Switching, switchTo } from './switching.ts';
