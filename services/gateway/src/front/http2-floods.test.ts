import { until, upstream } from '../../test/gateway-under-test.ts';
import { asking, flags, frame, frameTypes, get, headerBlock } from '../../test/http2-frames.ts';
import {
  answering,
  ask,
  closeHttp2,
  gatewayWith,
  goawayOf,
  holding,
  isRefused,
  resetsOf,
} from '../../test/http2-under-test.ts';

afterEach(closeHttp2);

describe('a hostile HTTP/2 client', () => {
  const held = () => upstream(() => {});

  it('cannot open more streams than allowed', async () => {
    const stock = await held();
    const gateway = await gatewayWith(stock, { frontLimits: { streams: 10 } });
    const client = await gateway.frames();
    await until(() => client.received.length > 0);
    client.send(...Array.from({ length: 30 }, (_, place) => asking(1 + place * 2)));
    await until(() => isRefused(client, 20));
    expect(stock.requests.length).toBeLessThanOrEqual(10);
  });

  it('is disconnected when it opens and cancels streams without end (rapid reset, CVE-2023-44487)', async () => {
    const { stock, running } = await holding();
    const gateway = await gatewayWith(stock, { frontLimits: { resets: { burst: 20, perSecond: 1 } } });
    const client = await gateway.frames();
    for (let place = 0; place < 60; place++) {
      const stream = 1 + place * 2;
      client.send(asking(stream), frame(frameTypes.reset, flags.none, stream, Buffer.of(0, 0, 0, 8)));
    }
    await until(() => client.closed());
    expect([2, undefined]).toContain(goawayOf(client)); // INTERNAL_ERROR, unless the cut overtook it
    await until(() => running() === 0);
  });

  it('is disconnected when its headers never end (CONTINUATION flood, CVE-2024-27983)', async () => {
    const stock = await held();
    const client = await (await gatewayWith(stock)).frames();
    const part = headerBlock([['x-a', 'a'.repeat(1_000)]]);
    client.send(frame(frameTypes.headers, flags.none, 1, headerBlock(get)));
    for (let count = 0; count < 200; count++)
      client.send(frame(frameTypes.continuation, flags.none, 1, part));
    await until(() => client.closed());
    expect(stock.requests).toEqual([]);
  });

  it.each([
    ['too many headers', Array.from({ length: 300 }, (_, place) => [`x-${place}`, 'a'] as [string, string])],
    [
      'too long headers',
      Array.from({ length: 4 }, (_, place) => [`x-${place}`, 'a'.repeat(5_000)] as [string, string]),
    ],
  ])('is refused for %s', async (_, headers) => {
    const stock = await held();
    const client = await (await gatewayWith(stock)).frames();
    const block = headerBlock([...get, ...headers]);
    client.send(frame(frameTypes.headers, flags.endStream, 1, block.subarray(0, 16_000)));
    client.send(frame(frameTypes.continuation, flags.endHeaders, 1, block.subarray(16_000)));
    await until(() => isRefused(client));
    expect(stock.requests).toEqual([]);
  });

  it('is refused for one header expanded a thousand times by its index (HPACK bomb, CVE-2016-6581)', async () => {
    const stock = await held();
    const client = await (await gatewayWith(stock)).frames();
    const [name, value] = [Buffer.from('x-bomb'), Buffer.alloc(3_900, 'a')];
    const indexed = Buffer.concat([
      Buffer.of(0x40, name.length),
      name,
      headerBlock([['', value.toString()]]).subarray(2), // its value as HPACK writes it
    ]);
    const again = Buffer.alloc(1_000, 0x80 | 62); // the first entry of the table that grows
    const block = Buffer.concat([headerBlock(get), indexed, again]);
    client.send(frame(frameTypes.headers, flags.endHeaders | flags.endStream, 1, block));
    await until(() => isRefused(client));
    expect(stock.requests).toEqual([]);
  });

  it.each([
    ['PING (CVE-2019-9512)', () => frame(frameTypes.ping, flags.none, 0, Buffer.alloc(8))],
    ['SETTINGS (CVE-2019-9515)', () => frame(frameTypes.settings, flags.none, 0)],
  ])('is disconnected for a flood of %s', async (_, make) => {
    const limits = { controlFrames: { burst: 20, perSecond: 1 } };
    const client = await (await gatewayWith(await held(), { frontLimits: limits })).frames();
    for (let count = 0; count < 100; count++) client.send(make());
    await until(() => client.closed());
    expect([11, undefined]).toContain(goawayOf(client)); // ENHANCE_YOUR_CALM, unless the cut overtook it
  });

  it.each([
    ['says nothing', () => Buffer.alloc(0)],
    ['never ends its headers', () => frame(frameTypes.headers, flags.none, 1, headerBlock(get))],
  ])('is disconnected when it %s', async (_, make) => {
    const client = await (await gatewayWith(await held(), { frontLimits: { headMs: 100 } })).frames();
    client.send(make());
    await until(() => client.closed());
  });

  it('is disconnected after too long without a request', async () => {
    const gateway = await gatewayWith(await answering(), { frontLimits: { idleMs: 100 } });
    const session = await gateway.session();
    expect(await ask(session)).toMatchObject({ status: 200 });
    await until(() => session.destroyed);
  });

  it('is disconnected when it requests and reads nothing (CVE-2019-9517), also for a short reply', async () => {
    const stock = await upstream((_, res) => res.end('answer'));
    const gateway = await gatewayWith(stock, { frontLimits: { stallMs: 100 } });
    const noWindow = Buffer.of(0, 4, 0, 0, 0, 0); // SETTINGS_INITIAL_WINDOW_SIZE = 0
    const client = await gateway.frames(noWindow);
    client.send(asking(1), asking(3));
    await until(() => resetsOf(client).length === 2);
    expect(resetsOf(client).map(([, code]) => code)).toEqual([2, 2]);
    expect(await gateway.measured('gateway_client_aborts_total', { phase: 'body' })).toBe(2);
  });
});
