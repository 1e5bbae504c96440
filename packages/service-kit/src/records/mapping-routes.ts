import { Forbidden, type Permission } from '@marimo/contracts';
import type { ImportsContract } from '@marimo/contracts/records';
import { deleteMapping, listMappings, upsertMapping } from '@marimo/records';
import { requireFound } from '../http/require-found.ts';
import { handle, type Route, reply, type SignedInCall } from '../route.ts';
import type { RecordImports } from './imports.ts';

/** The saved mappings of the records that a service imports. */
export function mappingRoutes(
  service: string,
  contract: ImportsContract,
  recordImports: RecordImports,
): Route[] {
  const importable = (call: Pick<SignedInCall, 'caller'>, name: string): string => {
    const { record } = requireFound(recordImports.find(`${service}.${name}`), 'record');
    const { name: permission } = record.permissions['create'] as Permission;
    if (!call.caller.may(permission)) throw new Forbidden({ permission });
    return name;
  };
  return [
    handle(contract.listMappings, async (call) => {
      const record = importable(call, call.params.record);
      return reply(200, { items: await call.readInTenant((tx) => listMappings(tx, record)) });
    }),
    handle(contract.saveMapping, (call) => {
      const record = importable(call, call.params.record);
      const mapping = { name: call.params.name, columns: call.body.columns };
      return call.inTenant(async (tx) => {
        await upsertMapping(tx, record, mapping);
        return reply(200, mapping);
      });
    }),
    handle(contract.deleteMapping, (call) => {
      const record = importable(call, call.params.record);
      return call.inTenant(async (tx) => {
        requireFound((await deleteMapping(tx, record, call.params.name)) || undefined, 'import mapping');
        return reply(204, null);
      });
    }),
  ];
}
