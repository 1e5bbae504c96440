import { createMetrics } from './metrics.ts';

describe('the metrics of a service', () => {
  it('are labelled with its name and kept apart from those of the other services in the process', async () => {
    const users = createMetrics('users');
    const accounting = createMetrics('accounting');
    users.counter('tokens_issued_total', 'Tokens issued', ['kind']).inc({ kind: 'access' });
    accounting.counter('tokens_issued_total', 'Tokens issued', ['kind']).inc({ kind: 'access' }, 5);
    expect(await users.render()).toContain('tokens_issued_total{kind="access",service="users"} 1\n');
    expect(await accounting.render()).toContain(
      'tokens_issued_total{kind="access",service="accounting"} 5\n',
    );
  });

  it('are the same metric for everyone who asks for the name', async () => {
    const metrics = createMetrics('users');
    for (let n = 0; n < 3; n++)
      metrics.counter('auth_attempts_total', 'Attempts', ['outcome']).inc({ outcome: 'ok' });
    metrics.gauge('active_users_total', 'Active', []).set(7);
    metrics.gauge('active_users_total', 'Active', []).inc();
    const text = await metrics.render();
    expect(text).toContain('auth_attempts_total{outcome="ok",service="users"} 3\n');
    expect(text).toContain('active_users_total{service="users"} 8\n');
  });

  it('refuse a name that already means something else', () => {
    const metrics = createMetrics('users');
    metrics.counter('db_queries_total', 'Queries', []);
    expect(() => metrics.gauge('db_queries_total', 'Queries', [])).toThrow('db_queries_total');
  });

  it('measure durations in buckets from 5 ms to 10 s', async () => {
    const metrics = createMetrics('users');
    metrics.histogram('http_request_duration_seconds', 'Duration', ['route']).observe({ route: '/a' }, 0.03);
    metrics.histogram('http_request_size_bytes', 'Size', [], [100, 1_000]).observe(50);
    const text = await metrics.render();
    expect(text).toContain('http_request_duration_seconds_bucket{le="0.005",service="users",route="/a"} 0\n');
    expect(text).toContain('http_request_duration_seconds_bucket{le="0.05",service="users",route="/a"} 1\n');
    expect(text).toContain('http_request_duration_seconds_bucket{le="10",service="users",route="/a"} 1\n');
    expect(text).toContain('http_request_size_bytes_bucket{le="100",service="users"} 1\n');
  });

  it('show the process on every page, measured once, without the name of a service', async () => {
    const pages = await Promise.all(['users', 'accounting'].map((name) => createMetrics(name).render()));
    for (const page of pages) {
      expect(page.match(/^nodejs_eventloop_lag_p99_seconds /gm)).toHaveLength(1);
      expect(page.match(/^process_resident_memory_bytes /gm)).toHaveLength(1);
    }
  });
});
