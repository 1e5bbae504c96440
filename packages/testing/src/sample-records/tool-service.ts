import { customFieldsOf } from '@marimo/contracts';
import { copiesOf, mirrorOf } from '@marimo/mirrors';
import { recordsOf } from '@marimo/records';
import { customFieldRoutes, defineService, recordRoutes } from '@marimo/service-kit';
import * as partners from './partners.ts';
import * as shelves from './shelves.ts';
import * as tools from './tools.ts';

/** What the service keeps of the partners of another. */
export const partnerMirror = mirrorOf(partners, {
  fields: ['code', 'name', 'contactEmail', 'creditLimit'],
  table: 'partner_mirror',
});

export const customFields = customFieldsOf('config');

/** A service with the sample records. It borrows the name of a real one. */
export const toolService = defineService({
  name: 'config',
  migrations: new URL('./migrations/', import.meta.url),
  mirrors: [partnerMirror],
  routes: [
    (deps) => recordRoutes(shelves, recordsOf(shelves.record, deps), deps),
    (deps) => {
      const { lookUps } = copiesOf(partnerMirror, deps);
      return recordRoutes(tools, recordsOf(tools.record, { ...deps, lookUps }), deps);
    },
    (deps) => customFieldRoutes(customFields, [tools.record, shelves.record], deps),
  ],
});
