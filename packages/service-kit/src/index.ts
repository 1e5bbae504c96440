export type { Caller, TokenVerifier } from './caller.ts';
export { type AppOptions, createApp } from './http/app.ts';
export { demandMatch, etagOf } from './http/etag.ts';
export { type Call, handle, type Reply, type Route, reply } from './route.ts';
export {
  type BackgroundWork,
  type Deps,
  defineService,
  type OwnServer,
  type ServiceDefinition,
} from './service.ts';
export type { Settings } from './settings.ts';

/** The migrations of the tables the kit itself needs in every service's schema. */
export const kitMigrations = new URL('../migrations/', import.meta.url);
