import type { BucketLimit } from '@marimo/cache';
import { SettingsInvalid } from '@marimo/service-kit';
import { z } from 'zod';
import type { TunnelLimits } from './tunnels.ts';

export interface GatewaySettings {
  readonly limits: Readonly<Record<LimitName, BucketLimit>>;
  /** Addresses and networks whose `X-Forwarded-For` is believed: the load balancers in front. */
  readonly trustedProxies: readonly string[];
  /** Origins besides our own whose pages may read our answers and open sockets, as browsers write them. */
  readonly allowedOrigins: readonly string[];
  /** Requests to one service that may be on their way at once. */
  readonly serviceInFlight: number;
  readonly overload: OverloadSettings;
  /** Bytes of answers kept; 0 keeps none. */
  readonly responseCacheBytes: number;
  /** Services that must be ready for `/ready`; all that are routed to unless told. */
  readonly expects: readonly string[] | undefined;
  /** How many WebSockets may be open, and for how long without a word. */
  readonly sockets: TunnelLimits;
  /** Where the certificate and its key are; without them the gateway speaks plain HTTP/1.1. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
}

/** What a limit counts; each request takes from several. */
export type LimitName =
  | 'login' // per address network
  | 'register' // per address network
  | 'proof' // per address network: all other proofs of identity
  | 'caller' // per session, or per address network without a valid token
  | 'user' // per person, over all their sessions
  | 'key' // per API key, in place of the two
  | 'address'; // per address network, all callers together

/** When less urgent requests are turned away for the sake of the more urgent. */
export interface OverloadSettings {
  /** Milliseconds by which the event loop is late. Background work is shed from here, reads from twice, writes from four times this. */
  readonly loopDelayMs: number;
  /** Requests on their way: the same at this, one and a half times and twice this. */
  readonly inFlight: number;
}

const secondsOf = { s: 1, min: 60, h: 3600 } as const;

/** `10/min,burst=30`: ten a minute in the long run, thirty at once. */
export const Limit = z
  .string()
  .regex(/^[1-9]\d{0,8}\/(s|min|h)(,burst=[1-9]\d{0,8})?$/, 'a limit looks like 10/min,burst=30')
  .transform((text): BucketLimit => {
    const [, count = '', unit = 's', burst = count] = /^(\d+)\/(s|min|h)(?:,burst=(\d+))?$/.exec(text) ?? [];
    return { perSecond: Number(count) / secondsOf[unit as keyof typeof secondsOf], burst: Number(burst) };
  });
const Count = z
  .string()
  .regex(/^\d{1,9}$/, 'a whole number')
  .transform(Number);
const AtLeastOne = Count.pipe(z.int().min(1));
const List = z.string().transform((text) => text.split(',').map((item) => item.trim()));
const Networks = List.pipe(
  z.array(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'an address or a network, such as 10.0.0.0/8'),
  ),
);

/** Browsers name an origin in one way only, so that comparing texts is enough: no path, no default port, lower case, punycode. */
const Origin = z
  .url({ protocol: /^https?$/ })
  .transform((text) => new URL(text))
  .refine(({ pathname, search, hash, username }) => `${pathname}${search}${hash}${username}` === '/', {
    error: 'an origin, such as https://erp.example: no path, no query',
  })
  .transform(({ origin }) => origin);

const Environment = z.object({
  RATE_LIMIT_LOGIN: Limit.prefault('10/min,burst=3'),
  RATE_LIMIT_REGISTER: Limit.prefault('5/min,burst=2'),
  RATE_LIMIT_PROOF: Limit.prefault('20/min,burst=10'),
  RATE_LIMIT_CALLER: Limit.prefault('60/s,burst=120'),
  RATE_LIMIT_USER: Limit.prefault('120/s,burst=240'),
  RATE_LIMIT_KEY: Limit.prefault('60/s,burst=120'),
  RATE_LIMIT_ADDRESS: Limit.prefault('600/s,burst=1200'),
  SERVICE_IN_FLIGHT: AtLeastOne.prefault('512'),
  SHED_LOOP_DELAY_MS: AtLeastOne.prefault('200'),
  SHED_IN_FLIGHT: AtLeastOne.prefault('2000'),
  RESPONSE_CACHE_MB: Count.prefault('32'),
  TRUSTED_PROXIES: Networks.optional(),
  ALLOWED_ORIGINS: List.pipe(z.array(Origin)).optional(),
  GATEWAY_EXPECTS: List.optional(),
  SOCKETS: AtLeastOne.prefault('10000'),
  SOCKETS_PER_TENANT: AtLeastOne.prefault('1000'),
  SOCKETS_PER_SESSION: AtLeastOne.prefault('10'),
  SOCKET_IDLE_S: AtLeastOne.prefault('120'),
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
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
      proof: values.RATE_LIMIT_PROOF,
      caller: values.RATE_LIMIT_CALLER,
      user: values.RATE_LIMIT_USER,
      key: values.RATE_LIMIT_KEY,
      address: values.RATE_LIMIT_ADDRESS,
    },
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    allowedOrigins: values.ALLOWED_ORIGINS ?? [],
    serviceInFlight: values.SERVICE_IN_FLIGHT,
    overload: { loopDelayMs: values.SHED_LOOP_DELAY_MS, inFlight: values.SHED_IN_FLIGHT },
    responseCacheBytes: values.RESPONSE_CACHE_MB * 1_048_576,
    expects: values.GATEWAY_EXPECTS,
    sockets: {
      inAll: values.SOCKETS,
      perTenant: values.SOCKETS_PER_TENANT,
      perSession: values.SOCKETS_PER_SESSION,
      idleMs: values.SOCKET_IDLE_S * 1_000,
      lookAgainMs: 2_000, // with the two seconds in which a revocation arrives here, less than five
    },
    tls: tlsOf(values),
  };
}

function tlsOf({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }: z.output<typeof Environment>) {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile === undefined && keyFile === undefined) return undefined;
  // Plain HTTP because of a forgotten line would send every token in the clear.
  const [given, missing] =
    certFile === undefined ? ['TLS_KEY_FILE', 'TLS_CERT_FILE'] : ['TLS_CERT_FILE', 'TLS_KEY_FILE'];
  throw new SettingsInvalid([`${missing}: needed beside ${given}`]);
}
