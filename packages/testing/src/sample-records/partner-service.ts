import { recordsOf } from '@marimo/records';
import { defineService, recordRoutes } from '@marimo/service-kit';
import * as partners from './partners.ts';

/** Another service, whose partners the tool service mirrors. It borrows the name of a real one. */
export const partnerService = defineService({
  name: 'main',
  migrations: new URL('./partner-migrations/', import.meta.url),
  routes: [(deps) => recordRoutes(partners, recordsOf(partners.record, deps), deps)],
});
