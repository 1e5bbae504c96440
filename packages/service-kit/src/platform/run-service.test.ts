import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePorts, until } from '@marimo/testing/outside';

const main = fileURLToPath(new URL('../../test/main-of-notes.ts', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'marimo-run-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

function run(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'] ?? '', MARIMO_HOME: home, LOG_LEVEL: 'silent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said = text(child.stderr);
  child.stdout.resume();
  const ended = once(child, 'exit').then(async ([code]) => ({ code, said: await said }));
  return { child, ended };
}

describe('a service run by its main file', () => {
  it('serves until it is asked to end, then ends with 0', async () => {
    const [port = 0] = await freePorts(1);
    const { child, ended } = run({ CONFIG_PORT: String(port) });
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isReady, 30_000);
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, said: '' });
  }, 60_000);

  it('ends with 78 and names every variable when the environment is broken', async () => {
    const { code, said } = await run({ CONFIG_PORT: 'eighty', REDIS_ADDR: 'here' }).ended;
    expect(code).toBe(78);
    expect(said).toMatch(/CONFIG_PORT.*\n.*REDIS_ADDR|REDIS_ADDR.*\n.*CONFIG_PORT/);
    expect(said).not.toMatch(/^ {4}at /m);
  });

  it('ends with 69 when its port is taken, and leaves no database running', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    const { code, said } = await run({ CONFIG_PORT: String(port) }).ended;
    squatter.close();
    expect([code, said]).toEqual([69, expect.stringContaining('CONFIG_PORT')]);
    expect(said).not.toMatch(/^ {4}at /m);
  }, 60_000);

  it('ends with 1 when something else fails', async () => {
    const { code, said } = await run({ DB_HOST: '127.0.0.1', DB_PORT: '1', CONFIG_PORT: '0' }).ended;
    expect([code, said]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });
});
