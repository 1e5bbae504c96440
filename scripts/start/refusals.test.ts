import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { root } from '../steps/run.ts';
import { environmentOf, freshMachine, startPlatformProcess } from './platform-under-test.ts';

jest.setTimeout(120_000);

let machine: Awaited<ReturnType<typeof freshMachine>>;
beforeEach(async () => {
  machine = await freshMachine();
});
afterEach(() => machine.remove());

/** Starts the platform where it cannot start; resolves with its exit code and what it said. */
async function tryToStart(env: Record<string, string>, args: readonly string[] = []) {
  const child = spawn(process.execPath, ['scripts/start.ts', ...args], {
    cwd: root,
    env: environmentOf({ ...machine, env }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = await once(child, 'exit');
  return { code, said };
}

describe('a start that cannot succeed', () => {
  it.each([[[]], [['--processes']]])(
    'names the port that is taken and starts nothing, with %j',
    async (args) => {
      const other = createServer().listen(Number(machine.ports['ACCOUNTING_PORT']), '127.0.0.1');
      await once(other, 'listening');
      const { code, said } = await tryToStart({}, args);
      other.close();
      expect(code).toBe(69);
      expect(said).toContain(`port ${machine.ports['ACCOUNTING_PORT']} of accounting is taken`);
      expect(said).toContain('ACCOUNTING_PORT');
      expect(existsSync(join(machine.home, 'postgres'))).toBe(false);
    },
  );

  it('names every setting that is broken, and no secret', async () => {
    const { code, said } = await tryToStart({
      REDIS_ADDR: 'nowhere',
      USERS_PORT: '80801',
      JWT_SECRET: 'short-and-secret',
      NODE_ENV: 'production',
    });
    expect(code).toBe(78);
    for (const name of ['REDIS_ADDR', 'USERS_PORT', 'JWT_SECRET']) expect(said).toContain(name);
    expect(said).not.toContain('short-and-secret');
  });

  it('says that the data is in use by another start', async () => {
    const first = await startPlatformProcess(machine);
    const elsewhere = await freshMachine();
    const { code, said } = await tryToStart(elsewhere.ports);
    elsewhere.remove();
    expect(await first.interrupt()).toBe(0);
    expect(code).toBe(1);
    expect(said).toContain('in use');
  });

  it('says that the database of the environment cannot be reached', async () => {
    const { code, said } = await tryToStart({
      DB_HOST: '127.0.0.1',
      DB_PORT: machine.ports['FACTORY_PORT'] as string,
      DB_PASSWORD: 'x',
    });
    expect(code).toBe(1);
    expect(said).toMatch(/database/i);
  });
});
