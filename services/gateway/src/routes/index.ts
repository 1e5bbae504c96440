export { compileRoutes, type RoutePolicy, type RouteTable } from './table.ts';
