export type { Descriptions, RouteStatus } from './descriptions.ts';
export { KeptTable } from './kept.ts';
export type { RouteOverride, RoutePolicy } from './policy.ts';
export { Routing, type RoutingParts } from './routing.ts';
export type { RouteTable } from './table.ts';
export { type TrafficClass, trafficClassOf } from './traffic-class.ts';
