export { type ConsulRegistryOptions, consulRegistry } from './consul.ts';
export type { Instance, Registration, Registry, SharedText, SharedTexts } from './registry.ts';
export { type StaticRegistryOptions, staticRegistry } from './static.ts';
