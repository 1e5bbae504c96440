import { SettingsInvalid } from '@marimo/service-kit';
import { gatewaySettings } from './settings.ts';

describe("the gateway's settings", () => {
  it('have a default for everything', () => {
    expect(gatewaySettings({ RATE_LIMIT_LOGIN: ' ' })).toEqual({
      limits: {
        login: { perSecond: 10 / 60, burst: 3 },
        proof: { perSecond: 1 / 3, burst: 10 },
        register: { perSecond: 5 / 60, burst: 2 },
        caller: { perSecond: 60, burst: 120 },
        user: { perSecond: 120, burst: 240 },
        key: { perSecond: 60, burst: 120 },
        address: { perSecond: 600, burst: 1_200 },
      },
      serviceInFlight: 512,
      overload: { loopDelayMs: 200, inFlight: 2_000 },
      responseCacheBytes: 32 * 1_048_576,
      sockets: { perSession: 10, perTenant: 1_000, inAll: 10_000, idleMs: 120_000, lookAgainMs: 2_000 },
      tls: undefined,
      trustedProxies: [],
      allowedOrigins: [],
      expects: undefined,
    });
  });

  it('are read from the environment', () => {
    const settings = gatewaySettings({
      RATE_LIMIT_REGISTER: '7/h',
      TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      ALLOWED_ORIGINS: 'https://ERP.example:443/, http://localhost:3000',
      GATEWAY_EXPECTS: 'users,accounting',
    });
    expect(settings.limits.register).toEqual({ perSecond: 7 / 3600, burst: 7 });
    expect(settings.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
    expect(settings.allowedOrigins).toEqual(['https://erp.example', 'http://localhost:3000']);
    expect(settings.expects).toEqual(['users', 'accounting']);
  });

  it.each([
    ['RATE_LIMIT_LOGIN', '10'],
    ['RATE_LIMIT_LOGIN', '0/s'],
    ['RATE_LIMIT_CALLER', '10/s,burst=0'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['ALLOWED_ORIGINS', 'erp.example'],
    ['ALLOWED_ORIGINS', 'https://erp.example/portal'],
    ['ALLOWED_ORIGINS', '*'],
    ['SERVICE_IN_FLIGHT', '0'],
    ['SHED_LOOP_DELAY_MS', '-1'],
    ['RESPONSE_CACHE_MB', 'many'],
  ])('refuse %s=%s by the name of the variable', (name, value) => {
    expect(() => gatewaySettings({ [name]: value })).toThrow(SettingsInvalid);
    expect(() => gatewaySettings({ [name]: value })).toThrow(name);
  });
});
