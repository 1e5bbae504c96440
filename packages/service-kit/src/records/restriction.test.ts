import { MalformedRequest } from '@marimo/contracts';
import { recordsOf } from '@marimo/records';
import { useService } from '@marimo/testing';
import { toolService, tools } from '@marimo/testing/records';
import { defineService } from '../service.ts';
import { recordRoutes } from './routes.ts';

const restricted = defineService({
  ...toolService,
  mirrors: [],
  routes: [
    (deps) =>
      recordRoutes(tools, recordsOf(tools.record, deps), deps, {
        restrict: () => ({ filter: { kind: ['hand'] }, hidden: ['notes', 'price'] }),
        except: ['importFile', 'importTemplate', 'exportFile'],
      }),
  ],
});
const service = useService(restricted);

it('hides rows and fields in every place', async () => {
  const price = { amount: '7.00', currency: 'RUB' };
  const body = { code: 'A', name: 'Hammer', kind: 'hand', notes: 'secret', price } as const;
  const { toolId } = (await service.call(tools.create, { body })).body;
  await service.call(tools.create, { body: { ...body, code: 'B', kind: 'power' } });
  const one = { params: { toolId } };
  expect((await service.call(tools.get, one)).body).toMatchObject({
    name: 'Hammer',
    notes: null,
    price: null,
  });
  const changed = await service.call(tools.change, { ...one, body: { pieces: 2 } });
  expect(changed.body).toMatchObject({ notes: null, pieces: 2 });
  const { body: history } = await service.call(tools.history, { ...one, query: {} });
  expect(history.items.flatMap(({ changes }) => changes.map(({ field }) => field))).not.toContain('notes');
  const found = async (text: string) =>
    (await service.call(tools.list, { query: { text } })).body.items.map(({ code }) => code);
  expect(await found('secret')).toEqual([]);
  expect(await found('hammers')).toEqual(['A']);
  expect(await service.call(tools.list, { query: { sort: 'price' } })).toBeRefused(MalformedRequest);
  const { body: listed } = await service.call(tools.list, { query: { count: 'true' } });
  expect(listed).toMatchObject({ count: { value: 1 } });
  expect(listed.items[0]).not.toHaveProperty('notes');
});
