export type { Caller, TokenVerifier } from './caller.ts';
export { type Call, handle, type Reply, type Route, reply } from './route.ts';
export {
  type BackgroundWork,
  type Deps,
  defineService,
  type OwnServer,
  type ServiceDefinition,
} from './service.ts';
export type { Settings } from './settings.ts';
