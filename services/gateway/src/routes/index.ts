export { contracts } from './contracts.ts';
export { compileRoutes, type RoutePolicy, type RouteTable } from './table.ts';
