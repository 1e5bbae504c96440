import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Envelope, newId } from '@marimo/contracts';
import { UnfitEvent } from '@marimo/messaging';
import { type Platform, readSettings, startPlatform } from '@marimo/service-kit';
import { environmentOf, freshMachine } from './start/platform-under-test.ts';
import { root } from './steps/run.ts';

jest.setTimeout(120_000);

describe('dead letters of a platform that runs', () => {
  const queue = 'email_queue';
  let machine: Awaited<ReturnType<typeof freshMachine>>;
  let platform: Platform;

  beforeAll(async () => {
    machine = await freshMachine();
    platform = await startPlatform(readSettings(environmentOf(machine)));
  });
  afterAll(async () => {
    await platform?.close();
    machine?.remove();
  });

  async function command(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, ['scripts/dead-letters.ts', ...args], {
      cwd: root,
      env: environmentOf(machine),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return text(child.stdout);
  }

  it('are shown with their reason, and put back by the command', async () => {
    const { transport } = platform;
    await transport.declare([{ name: queue, bindings: ['users.organisation-registered.v1'] }]);
    const parking = await transport.consume(queue, { concurrency: 1 }, async () => {
      throw new UnfitEvent('there is no address');
    });
    const lost = envelope();
    await transport.publish([lost]);
    while ((await transport.depth(queue)).dead === 0) await sleep(20);
    await parking.close();

    expect(await command('--queue', queue)).toMatch(new RegExp(`${lost.id}.*there is no address`));
    expect(await command('--queue', queue, '--replay', lost.id)).toContain('1 put back');
    expect(await transport.deadLetters(queue, 10)).toEqual([]);

    const again = Promise.withResolvers<string>();
    const handling = await transport.consume(queue, { concurrency: 1 }, async (delivery) =>
      again.resolve(delivery.envelope.id),
    );
    expect(await again.promise).toBe(lost.id);
    await handling.close();
  });
});

function envelope(): Envelope {
  return {
    specversion: '1.0',
    id: newId(),
    source: '/services/users',
    type: 'users.organisation-registered.v1',
    subject: newId(),
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    tenantid: newId(),
    data: {},
  };
}
