import { join } from 'node:path';
import { keptSecret, SettingsInvalid, weaknessesOf } from '@marimo/service-kit';
import { z } from 'zod';
import { CanaryWeight, mistakesInWeights } from '../proxy/index.ts';

export interface OperatorSettings {
  /** Of the listener only operators can reach; 0 takes any free one. */
  readonly port: number;
  readonly host: string;
  readonly token: string;
  /** Weights until an operator sets others. */
  readonly canary: readonly CanaryWeight[];
}

const defaultPort = 8090;

const Port = z
  .string()
  .regex(/^\d{1,5}$/, 'a port is a number from 0 to 65535; 0 takes any free one')
  .transform(Number)
  .refine((port) => port <= 65_535, 'a port is a number from 0 to 65535');

/** `accounting@0.2.0=5`: five percent. */
const Weight = z
  .string()
  .regex(/^[a-z][a-z0-9-]*@[^=,\s]{1,100}=\d{1,3}(\.\d{1,2})?$/, 'a weight looks like accounting@0.2.0=5')
  .transform((text) => {
    const at = text.indexOf('@');
    const is = text.lastIndexOf('=');
    return {
      service: text.slice(0, at),
      version: text.slice(at + 1, is),
      percent: Number(text.slice(is + 1)),
    };
  })
  .pipe(CanaryWeight);

const Environment = z.object({
  GATEWAY_OPERATOR_PORT: Port.optional(),
  GATEWAY_OPERATOR_HOST: z.string().prefault('127.0.0.1'),
  GATEWAY_CANARY: z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .pipe(z.array(Weight))
    .superRefine((weights, context) => {
      for (const message of mistakesInWeights(weights)) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  OPERATOR_TOKEN: z
    .string()
    .regex(/^[\w.~+/-]{16,200}=*$/, '16 or more characters that can stand in a bearer token')
    .optional(),
});

/**
 * What operators need, from the environment. The token is made at the first start where none is given, kept under `home`
 * and readable by its owner only; in production it must be given.
 */
export function operatorSettings(
  env: Readonly<Record<string, string | undefined>>,
  { home, production }: { readonly home: string; readonly production: boolean },
): OperatorSettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const read = Environment.safeParse(given);
  // Never a value: one of them is a secret.
  const problems = (read.error?.issues ?? []).map(({ path, message }) => `${String(path[0])}: ${message}`);
  if (production) problems.push(...weaknessesOf('OPERATOR_TOKEN', given['OPERATOR_TOKEN']));
  if (!read.success || problems.length > 0) throw new SettingsInvalid(problems);
  const values = read.data;
  // Gateways that take any port share a machine, so the ports for their operators must differ too.
  const port = values.GATEWAY_OPERATOR_PORT ?? (given['GATEWAY_PORT'] === '0' ? 0 : defaultPort);
  return {
    port,
    host: values.GATEWAY_OPERATOR_HOST,
    token: values.OPERATOR_TOKEN ?? keptSecret(home, 'operator'),
    canary: values.GATEWAY_CANARY ?? [],
  };
}

/** Where the gateway keeps what it knew and what it was told. */
export const gatewayHome = (home: string): string => join(home, 'gateway');
