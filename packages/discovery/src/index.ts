export type { Instance, Registration, Registry } from './registry.ts';
