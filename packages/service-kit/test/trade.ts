import { endpoint, forServices, Id, newId, sagaContract } from '@marimo/contracts';
import { refusal } from '@marimo/problems';
import { defineSaga } from '@marimo/sagas';
import { z } from 'zod';
import { type Deps, defineService, handle, reply } from '../src/index.ts';
import { noteWritten } from './notes-service.ts';

/** Two services as small as can be: `config` sells, and has `main` reserve and ship. They borrow the names of real ones. */
const migrations = new URL('./migrations/', import.meta.url);
export const contract = sagaContract('config');

export class OutOfStock extends refusal(z.object({}), {
  code: 'main.out-of-stock',
  kind: 'refused',
  title: 'There is nothing left',
  detail: () => 'Nothing left.',
}) {}

const Line = z.strictObject({ text: z.string() });
const command = (path: string) => ({
  method: 'POST' as const,
  path,
  summary: 'A command for sagas.',
  access: forServices('config', 'shop'),
  body: Line,
  replies: { 201: z.strictObject({ id: Id, authorId: Id.nullable() }) },
  refusals: [OutOfStock],
});
export const reserve = endpoint(command('/internal/main/reservations'));
export const cancel = endpoint(command('/internal/main/cancellations'));
export const ship = endpoint(command('/internal/main/shipments'));

/** Changed by the tests. */
export const stock = { isEmpty: false };

export const main = defineService({
  name: 'main',
  migrations,
  routes: [
    ({ outbox }) =>
      [reserve, cancel, ship].map((each) =>
        handle(each, (call) =>
          call.inTenant(async (tx) => {
            if (each === ship && stock.isEmpty) throw new OutOfStock({});
            const id = newId();
            const text = `${each.path.split('/').at(-1)} ${call.body.text}`;
            await tx.run('insert into note (tenant_id, id, text) values ($1, $2, $3)', [
              tx.tenantId,
              id,
              text,
            ]);
            await outbox.add(tx, noteWritten, id, { text });
            return reply(201, { id, authorId: call.service.authorId ?? null });
          }),
        ),
      ),
  ],
});

const sell = defineSaga({
  kind: 'config.sell',
  input: Line,
  steps: ({ command: send, local }) => [
    send({
      name: 'reserve',
      command: reserve,
      request: ({ input }) => ({ body: input }),
      undo: { command: cancel, request: ({ input }) => ({ body: input }) },
    }),
    local({
      name: 'note',
      async run(tx, { input }, { outbox }: Deps) {
        await tx.run('insert into note (tenant_id, text) values ($1, $2)', [tx.tenantId, input.text]);
        await outbox.add(tx, noteWritten, newId(), input);
      },
      undo: (tx, { input }) => tx.run('delete from note where text = $1', [input.text]),
    }),
    send({
      name: 'pay',
      command: reserve,
      request: ({ input }) => ({ body: { text: `paid ${input.text}` } }),
      undo: 'point-of-no-return',
    }),
    send({ name: 'ship', command: ship, request: ({ input }) => ({ body: input }) }),
  ],
});

export const startSale = endpoint({
  method: 'POST',
  path: '/api/v1/config/sales',
  summary: 'Sells.',
  access: 'signed-in',
  body: z.strictObject({ saleId: Id, text: z.string() }),
  replies: { 202: z.strictObject({ saleId: Id }) },
});

export const shop = defineService({
  name: 'config',
  migrations,
  sagas: [sell],
  routes: [
    ({ sagas }) => [
      handle(startSale, (call) =>
        call.inTenant(async (tx) => {
          const { saleId, text } = call.body;
          await sagas.start(tx, sell, { sagaId: saleId, input: { text } });
          return reply(202, { saleId });
        }),
      ),
    ],
  ],
});
