import { boundCounter, boundHistogram } from './bound.ts';
import { createMetrics } from './metrics.ts';

const values = [0, 0.005, 0.0051, 3, 10, 11];

async function rendered(fill: (metrics: ReturnType<typeof createMetrics>) => void): Promise<string[]> {
  const metrics = createMetrics('test');
  fill(metrics);
  return (await metrics.render()).split('\n').filter((line) => /^(took|asked)/.test(line));
}
const took = (metrics: ReturnType<typeof createMetrics>) =>
  metrics.histogram('took_seconds', 'x', ['route', 'status']);
const asked = (metrics: ReturnType<typeof createMetrics>) => metrics.counter('asked_total', 'x', ['route']);

describe('a metric bound to its labels', () => {
  it('counts as one that is not', async () => {
    const plain = await rendered((metrics) => {
      for (const value of values) took(metrics).observe({ route: '/a', status: 200 }, value);
      for (const _ of values) asked(metrics).inc({ route: '/a' });
    });
    const bound = await rendered((metrics) => {
      const observe = boundHistogram(took(metrics), { route: '/a', status: 200 });
      const inc = boundCounter(asked(metrics), { route: '/a' });
      for (const value of values) {
        observe(value);
        inc();
      }
    });
    expect(plain.length).toBeGreaterThan(15);
    expect(bound).toEqual(plain);
  });

  it('goes on with what was counted before, and keeps other labels apart', async () => {
    const lines = await rendered((metrics) => {
      took(metrics).observe({ route: '/a', status: 200 }, 1);
      asked(metrics).inc({ route: '/a' });
      boundHistogram(took(metrics), { route: '/a', status: 200 })(1);
      boundHistogram(took(metrics), { route: '/a', status: 404 })(1);
      boundCounter(asked(metrics), { route: '/a' })();
      boundCounter(asked(metrics), { route: '/b' })();
    });
    const of = (start: string) =>
      Number(
        lines
          .find((line) => line.startsWith(start))
          ?.split(' ')
          .at(-1),
      );
    expect(lines.filter((line) => line.startsWith('took_seconds_count'))).toHaveLength(2);
    expect(lines.find((line) => line.startsWith('took_seconds_count') && line.includes('"200"'))).toMatch(
      / 2$/,
    );
    expect(of('asked_total{route="/a"')).toBe(2);
    expect(of('asked_total{route="/b"')).toBe(1);
  });
});
