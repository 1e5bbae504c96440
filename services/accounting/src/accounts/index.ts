export { accountRoutes } from './routes.ts';
export { listIdsAtOrBelow } from './store.ts';
