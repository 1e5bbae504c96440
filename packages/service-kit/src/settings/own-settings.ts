import { z } from 'zod';
import { SettingsInvalid } from './settings-invalid.ts';

/** The environment as the process was given it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A service's own variables, checked. An empty variable counts as unset: that is how compose files and shells pass on
 * what was not given.
 *
 * Errors: SettingsInvalid, naming every variable that is wrong and never its value, which may be a secret.
 */
export function readVariables<S extends z.ZodType>(schema: S, env: Environment): z.output<S> {
  const read = schema.safeParse(withoutEmpty(env));
  if (read.success) return read.data;
  throw new SettingsInvalid(read.error.issues.map(({ path, message }) => `${String(path[0])}: ${message}`));
}

export function withoutEmpty(env: Environment): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
}

/** A whole number in decimal digits. */
export function wholeNumber(what: string, most: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, what)
    .transform(Number)
    .refine((number) => number <= most, what);
}

export function url(...schemes: string[]) {
  return z.url({
    protocol: new RegExp(`^(${schemes.join('|')})$`),
    error: `a URL that starts with ${schemes[0]}://`,
  });
}
