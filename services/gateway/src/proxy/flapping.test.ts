import type { RequestListener } from 'node:http';
import { closeAll, gatewayTo, upstream } from '../../test/gateway-under-test.ts';

afterEach(closeAll);

/** Well for some requests, then breaking off for as many, and so on. */
function flapping(every: number, done: (id: string) => void): RequestListener {
  let count = 0;
  return (req, res) => {
    const isWell = Math.floor(count++ / every) % 2 === 0;
    if (!isWell) return req.socket.resetAndDestroy();
    done(req.url ?? '');
    res.end('fine');
  };
}

describe('a flapping instance beside a healthy one', () => {
  it.each([1, 3, 20])('costs no reader an answer, %d well and as many not', async (every) => {
    const flaps = await upstream(flapping(every, () => {}));
    const well = await upstream((_, res) => res.end('fine'));
    const gateway = await gatewayTo([flaps.instance, well.instance]);
    const statuses: Record<number, number> = {};
    for (let round = 0; round < 40; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => fetch(`${gateway.url}/api/v1/stock/open`)),
      );
      for (const answer of answers) {
        await answer.text();
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      }
    }
    expect(statuses).toEqual({ 200: 200 });
    expect(well.requests.length).toBeGreaterThan(flaps.requests.length);
  });

  it('causes no write twice, and no performed write is reported as failed', async () => {
    const done = new Map<string, number>();
    const note = (url: string) => done.set(url, (done.get(url) ?? 0) + 1);
    const flaps = await upstream(flapping(3, note));
    const well = await upstream((req, res) => {
      note(req.url ?? '');
      res.end('fine');
    });
    const gateway = await gatewayTo([flaps.instance, well.instance]);
    const told = new Map<string, number>();
    for (let n = 0; n < 100; n += 1) {
      const path = `/api/v1/stock/open?write=${n}`;
      const answer = await fetch(gateway.url + path, { method: 'POST', body: '{}' });
      await answer.text();
      told.set(path, answer.status);
    }
    expect([...done.values()].filter((times) => times > 1)).toEqual([]);
    for (const [path, status] of told) expect(done.has(path)).toBe(status === 200);
    // Three or so until the breaker is open; from then on nobody meets the flapping one.
    expect([...told.values()].filter((status) => status !== 200).length).toBeLessThan(20);
  });
});
