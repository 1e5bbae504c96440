import { event, newId } from '@marimo/contracts';
import type { Message } from 'amqplib';
import { z } from 'zod';
import { type ConsumedEvent, consumer } from './consumer.ts';
import { envelopeIn } from './rabbitmq/message.ts';
import { UnfitEvent } from './retry.ts';

const shipped = event(
  'sales.goods-shipped.v1',
  z.strictObject({
    to: z.strictObject({ name: z.string() }),
    boxes: z.array(z.strictObject({ n: z.int() })),
  }),
);
const envelope = {
  specversion: '1.0' as const,
  id: newId(),
  source: '/services/sales',
  type: shipped.type,
  subject: newId(),
  time: new Date().toISOString(),
  datacontenttype: 'application/json' as const,
  tenantid: newId(),
};

async function handled(data: z.core.util.JSONType): Promise<unknown> {
  const seen: ConsumedEvent<typeof shipped>[] = [];
  const { handle } = consumer({
    name: 'store',
    queue: 'store',
    events: [shipped],
    handle: async (_, one) => void seen.push(one),
  });
  await handle({} as never, [{ ...envelope, data }], undefined);
  return seen[0]?.data;
}

describe('an event of a newer version of its service', () => {
  const known = { to: { name: 'Anna' }, boxes: [{ n: 1 }, { n: 2 }] };

  it('is handled without what this version does not know, at any depth', async () => {
    const newer = { by: 'post', to: { name: 'Anna', floor: 3 }, boxes: [{ n: 1 }, { n: 2, heavy: true }] };
    expect(await handled(newer)).toEqual(known);
    expect(await handled(known)).toEqual(known);
  });

  it('is parked when it lacks what this version needs', async () => {
    await expect(handled({ by: 'post', to: {}, boxes: [] })).rejects.toBeInstanceOf(UnfitEvent);
  });

  it('is an event to the broker’s reader too when its envelope says more', () => {
    const content = Buffer.from(
      JSON.stringify({ ...envelope, data: known, dataschema: 'https://x.example' }),
    );
    expect(envelopeIn({ content } as Message)).toMatchObject({ ...envelope, data: known });
  });
});
