import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceSecretOf } from '@marimo/service-kit';
import { until } from '@marimo/testing';
import { registerOrganisation } from '../../start/api-client.ts';
import { whole } from '../shared-platform.ts';

const credentials = { email: 'anna@operated.example', password: 'Quite-Long-And-Odd-7' };

function post(path: string, body?: object, token?: string): Promise<Response> {
  return fetch(`${whole.platform.origin}/api/v1/users/${path}`, {
    method: 'POST',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

describe('by command', () => {
  it('an operator reads the secret of one service, and of nobody else', async () => {
    const internal = readFileSync(join(whole.platform.home, 'secrets/internal'), 'utf8');
    const { code, output } = await whole.command('service-secret', 'workers');
    expect([code, output.trim().split('\n').at(-1)]).toEqual([0, serviceSecretOf(internal, 'workers')]);
    const wrong = [[], ['mallory'], ['workers', 'users']];
    const refused = await Promise.all(wrong.map((args) => whole.command('service-secret', ...args)));
    expect(refused.map(({ code }) => code)).toEqual([64, 64, 64]);
  });

  it('every signing key is withdrawn, and services soon have tokens of the new one without being asked', async () => {
    const anna = await registerOrganisation(whole.platform.origin, 'Operated', 'EUR');
    const takeAlong = async () => {
      const { accessToken } = (await (await post('login', credentials)).json()) as { accessToken: string };
      // users asks the workers for itself.
      const answer = await post('me/export', undefined, accessToken);
      return { status: answer.status, kept: ((await answer.json()) as { kept?: unknown }).kept };
    };
    const before = await until(async () => {
      const taken = await takeAlong();
      const [kept] = (taken.kept ?? []) as { emails: { sentAt: unknown }[]; notifications: unknown[] }[];
      const isSettled =
        kept?.notifications.length === 1 && kept.emails.every(({ sentAt }) => sentAt !== null);
      return isSettled && kept.emails.length === 2 ? taken : undefined;
    }, 30_000);
    expect(before).toMatchObject({ status: 200, kept: [{ organisationId: anna.organisationId }] });
    const rotated = await whole.command('rotate-keys', '--compromised');
    expect(rotated).toMatchObject({ code: 0, output: expect.stringContaining('signs from') });
    const after = await until(async () => {
      const taken = await takeAlong();
      return taken.status === 200 && taken;
    }, 30_000);
    expect(after).toEqual(before);
  });
});
