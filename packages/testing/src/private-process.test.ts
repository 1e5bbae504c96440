import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPrivateProcess } from './private-process.ts';

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await sleep(10);
  expect(condition()).toBe(true);
}

describe('a program of one test', () => {
  it('says what it printed when it does not start', async () => {
    const start = startPrivateProcess({
      binary: 'sh',
      args: ['-c', 'echo the disk is full; exit 3'],
      isReady: async () => false,
    });
    await expect(start).rejects.toThrow('the disk is full');
  });

  it('ends when told, also when it hangs', async () => {
    const program = await startPrivateProcess({ binary: 'sleep', args: ['100'], isReady: async () => true });
    const { pid } = program;
    program.pause();
    await program.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('does not outlive the test run that started it', async () => {
    const source = `
      import { startPrivateProcess } from 'file://${__dirname}/private-process.ts';
      const program = await startPrivateProcess({ binary: 'sleep', args: ['100'], isReady: async () => true });
      console.log(program.pid);
    `;
    const run = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = (await once(run.stdout, 'data')).map(Number) as [number];
    expect(isAlive(pid)).toBe(true);
    run.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });
});
