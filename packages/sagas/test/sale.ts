import { endpoint, forServices, Id, newId } from '@marimo/contracts';
import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { defineSaga } from '../src/index.ts';

/** A sale: the shop reserves with `main`, notes it, posts with `accounting`, and has it shipped. */
const Reservation = z.strictObject({ reservationId: Id });

const command = (path: string) => ({
  method: 'POST' as const,
  path,
  summary: 'A command of the tests.',
  access: forServices('shop'),
  body: z.strictObject({ saleId: Id, reservationId: Id.optional() }),
  replies: { 201: Reservation },
});
export const reserve = endpoint(command('/internal/main/reservations'));
export const cancel = endpoint(command('/internal/main/reservation-cancellations'));
export const post = endpoint(command('/internal/accounting/postings'));
export const ship = endpoint(command('/internal/main/shipments'));

export class RuleSaysNo extends refusal(z.object({}), {
  code: 'shop.rule-says-no',
  kind: 'refused',
  title: 'A rule says no',
  detail: () => 'Not now.',
}) {}

/** Which rules say no, changed by the tests. */
export const rules = {
  refuseNote: false,
  refuseUnnote: false,
  duringNote: async (_sagaId: string): Promise<void> => {},
};

export const sale = defineSaga({
  kind: 'shop.sell',
  input: z.strictObject({ saleId: Id }),
  steps: ({ command: send, local }) => [
    send({
      name: 'reserve',
      command: reserve,
      request: ({ input }) => ({ body: { saleId: input.saleId, reservationId: newId() } }),
      undo: {
        command: cancel,
        request: ({ input, replyOf }) => ({
          body: { saleId: input.saleId, reservationId: replyOf('reserve', reserve).reservationId },
        }),
      },
    }),
    local({
      name: 'note',
      async run(tx, { sagaId }) {
        await tx.run('insert into note (tenant_id, saga_id) values ($1, $2)', [tx.tenantId, sagaId]);
        await rules.duringNote(sagaId);
        if (rules.refuseNote) throw new RuleSaysNo({});
      },
      async undo(tx, { sagaId }) {
        await tx.run('delete from note where saga_id = $1', [sagaId]);
        if (rules.refuseUnnote) throw new RuleSaysNo({});
      },
    }),
    send({
      name: 'post',
      command: post,
      request: ({ input }) => ({ body: { saleId: input.saleId } }),
      undo: 'point-of-no-return',
    }),
    send({ name: 'ship', command: ship, request: ({ input }) => ({ body: { saleId: input.saleId } }) }),
  ],
});
