import { customFieldsOf } from '@marimo/contracts';
import { recordsOf } from '@marimo/records';
import { customFieldRoutes, defineService, recordRoutes } from '@marimo/service-kit';
import * as shelves from './shelves.ts';
import * as tools from './tools.ts';

/** Suppliers that the service knows; the sample has no other service to ask. */
export const knownSuppliers = new Map<string, { readonly isArchived: boolean }>();

const lookUps = { 'main.partner': async () => knownSuppliers };

export const customFields = customFieldsOf('config');

/** A service with the sample records. It borrows the name of a real one. */
export const toolService = defineService({
  name: 'config',
  migrations: new URL('./migrations/', import.meta.url),
  routes: [
    (deps) => recordRoutes(shelves, recordsOf(shelves.record, deps), deps),
    (deps) => recordRoutes(tools, recordsOf(tools.record, { ...deps, lookUps }), deps),
    (deps) => customFieldRoutes(customFields, [tools.record, shelves.record], deps),
  ],
});
