import type { BucketLimit } from '@marimo/cache';
import { SettingsInvalid } from '@marimo/service-kit';
import { z } from 'zod';

export interface GatewaySettings {
  readonly limits: Readonly<Record<LimitName, BucketLimit>>;
  /** Addresses and networks whose `X-Forwarded-For` is believed: the load balancers in front. */
  readonly trustedProxies: readonly string[];
  /** Origins besides our own whose pages may open sockets. */
  readonly allowedOrigins: readonly string[];
  /** Services that must be ready for `/ready`; all that are routed to unless told. */
  readonly expects: readonly string[] | undefined;
}

/** `caller` is per session, or per address where nobody is signed in. */
export type LimitName = 'login' | 'register' | 'caller';

const secondsOf = { s: 1, min: 60, h: 3600 } as const;

/** `10/min,burst=30`: ten a minute in the long run, thirty at once. */
const Limit = z
  .string()
  .regex(/^[1-9]\d{0,8}\/(s|min|h)(,burst=[1-9]\d{0,8})?$/, 'a limit looks like 10/min,burst=30')
  .transform((text): BucketLimit => {
    const [, count = '', unit = 's', burst = count] = /^(\d+)\/(s|min|h)(?:,burst=(\d+))?$/.exec(text) ?? [];
    return { perSecond: Number(count) / secondsOf[unit as keyof typeof secondsOf], burst: Number(burst) };
  });
const List = z.string().transform((text) => text.split(',').map((item) => item.trim()));
const Networks = List.pipe(
  z.array(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'an address or a network, such as 10.0.0.0/8'),
  ),
);

const Environment = z.object({
  RATE_LIMIT_LOGIN: Limit.prefault('10/min,burst=30'),
  RATE_LIMIT_REGISTER: Limit.prefault('5/min,burst=20'),
  RATE_LIMIT_CALLER: Limit.prefault('60/s,burst=1200'),
  TRUSTED_PROXIES: Networks.optional(),
  ALLOWED_ORIGINS: List.pipe(z.array(z.url({ protocol: /^https?$/ }))).optional(),
  GATEWAY_EXPECTS: List.optional(),
});

/** The gateway's own part of the environment; what every service has is the kit's. */
export function gatewaySettings(env: Readonly<Record<string, string | undefined>>): GatewaySettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const read = Environment.safeParse(given);
  if (!read.success) {
    throw new SettingsInvalid(read.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`));
  }
  const values = read.data;
  return {
    limits: {
      login: values.RATE_LIMIT_LOGIN,
      register: values.RATE_LIMIT_REGISTER,
      caller: values.RATE_LIMIT_CALLER,
    },
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    allowedOrigins: values.ALLOWED_ORIGINS ?? [],
    expects: values.GATEWAY_EXPECTS,
  };
}
