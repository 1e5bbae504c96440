import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../src/failpoint.ts', import.meta.url));

/** Comes by one place twice and by another once. */
function walk(env: Record<string, string>) {
  const code = `
    const { failpoint } = await import(${JSON.stringify(source)});
    for (const place of ['relay.afterClaim', 'relay.afterPublish', 'relay.afterClaim']) {
      failpoint(place);
      console.log(place);
    }`;
  const { MARIMO_FAILPOINT: _, ...clean } = process.env;
  const { stdout, stderr, signal, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', code],
    {
      env: { ...clean, ...env },
      encoding: 'utf8',
    },
  );
  return { passed: stdout.split('\n').filter(Boolean).length, signal, status, stderr };
}

describe('a place where a process can be killed', () => {
  it('is passed by when nobody asked for it', () => {
    expect(walk({})).toMatchObject({ passed: 3, status: 0 });
    expect(walk({ MARIMO_FAILPOINT: 'consumer.afterInbox' })).toMatchObject({ passed: 3, status: 0 });
  });

  it('kills at the visit that was asked for', () => {
    expect(walk({ MARIMO_FAILPOINT: 'relay.afterClaim' })).toMatchObject({ passed: 0, signal: 'SIGKILL' });
    expect(walk({ MARIMO_FAILPOINT: 'relay.afterClaim:2' })).toMatchObject({ passed: 2, signal: 'SIGKILL' });
  });

  it('keeps a process from starting in production', () => {
    const attempt = walk({ MARIMO_FAILPOINT: 'relay.afterClaim', NODE_ENV: 'production' });
    expect(attempt).toMatchObject({ passed: 0, status: 1, stderr: expect.stringContaining('is for tests') });
  });
});
