import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsInvalid } from '@marimo/service-kit';
import { operatorSettings } from './settings.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'marimo-operators-'));
});
afterEach(() => rmSync(home, { recursive: true }));
const read = (env: Record<string, string>, production = false) => operatorSettings(env, { home, production });
const good = 'Zq8-fJ2_kL0vXw7Rb3Tn9YcUe5HsGa1M';

describe("the operators' settings", () => {
  it('open a port on this machine only, with a token created at the first start and readable by its owner', () => {
    const first = read({});
    expect(first).toMatchObject({ port: 8090, host: '127.0.0.1', canary: [] });
    expect(first.token.length).toBeGreaterThanOrEqual(64);
    expect(read({}).token).toBe(first.token);
    const file = join(home, 'secrets', 'operator');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o077]).toEqual([first.token, 0]);
  });

  it('are read from the environment', () => {
    const env = {
      GATEWAY_OPERATOR_PORT: '9000',
      GATEWAY_OPERATOR_HOST: '10.0.0.7',
      OPERATOR_TOKEN: good,
      GATEWAY_CANARY: 'accounting@0.2.0=5, shop@1.0.0-rc.1=0.25',
    };
    expect(read(env, true)).toEqual({
      port: 9000,
      host: '10.0.0.7',
      token: good,
      canary: [
        { service: 'accounting', version: '0.2.0', percent: 5 },
        { service: 'shop', version: '1.0.0-rc.1', percent: 0.25 },
      ],
    });
  });

  it('use any port where the gateway does', () => {
    expect(read({ GATEWAY_PORT: '0' }).port).toBe(0);
  });

  it.each([
    ['GATEWAY_OPERATOR_PORT', '70000'],
    ['GATEWAY_OPERATOR_PORT', 'a'],
    ['OPERATOR_TOKEN', 'short'],
    ['OPERATOR_TOKEN', 'a token that has blanks in it'],
    ['GATEWAY_CANARY', 'accounting'],
    ['GATEWAY_CANARY', 'accounting@0.2.0=101'],
    ['GATEWAY_CANARY', 'shop@1=60,shop@2=60'],
  ])('refuse %s=%s by name, without repeating the value', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(SettingsInvalid);
    expect(() => read({ [name]: value })).toThrow(name);
    if (name === 'OPERATOR_TOKEN') expect(() => read({ [name]: value })).not.toThrow(value);
  });

  it.each([
    ['none', {}],
    ['a short one', { OPERATOR_TOKEN: good.slice(1) }],
    ['an example', { OPERATOR_TOKEN: 'change-me-change-me-change-me-0123456789' }],
  ])('require an explicit token in production: %s', (_, env) => {
    expect(() => read(env as Record<string, string>, true)).toThrow('OPERATOR_TOKEN: production');
  });
});
