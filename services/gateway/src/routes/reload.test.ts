import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describedAs, describedUpstream, route } from '../../test/described-service.ts';
import { closeAll, gatewayTo } from '../../test/gateway-under-test.ts';

afterEach(closeAll);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a thousand new route tables under load', () => {
  it('fail and lose no request, and leak no memory', async () => {
    const versions = [describedAs('1', []), describedAs('2', [route('added', { deadlineMs: 9_000 })])];
    const [old, fresh] = await Promise.all(versions.map((one) => describedUpstream(one)));
    const gateway = await gatewayTo([old!.instance, fresh!.instance]);
    const counted = () => gateway.measured('gateway_route_table_swaps_total');
    while ((await counted()) < 2) await fetch(`${gateway.url}/api/v1/stock/open`);

    let running = true;
    const statuses: number[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (running) {
        const answer = await fetch(`${gateway.url}/api/v1/stock/open`);
        await answer.text();
        statuses.push(answer.status);
      }
    });
    const begun = await counted();
    let heapBefore = 0;
    for (let reload = 0; reload < 1_000; reload++) {
      gateway.announce(...(reload % 2 === 0 ? [old!.instance] : [old!.instance, fresh!.instance]));
      if (reload === 200) {
        collect();
        heapBefore = process.memoryUsage().heapUsed;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    running = false;
    await Promise.all(load);
    collect();
    const grownMegabytes = (process.memoryUsage().heapUsed - heapBefore) / 1_048_576;

    expect(await counted()).toBe(begun + 1_000);
    expect(statuses.length).toBeGreaterThan(50);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(grownMegabytes).toBeLessThan(8);
  }, 120_000); // a thousand turns of a busy event loop
});
