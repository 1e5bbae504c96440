import {
  type Environment,
  keptSecret,
  readVariables,
  type Settings,
  SettingsInvalid,
  weaknessesOf,
  wholeNumber,
} from '@marimo/service-kit';
import { z } from 'zod';
import { foreignOrigins, type WebauthnSettings, webauthnOf } from './webauthn-settings.ts';

export interface UsersSettings {
  /** Seals the signing keys; made at the first start where none is given, demanded in production. */
  readonly jwtSecret: string;
  /** The previous JWT_SECRET; set for one start after rotation. */
  readonly previousJwtSecret: string | undefined;
  /** Days a signing key signs before the next one takes over. */
  readonly signingKeyDays: number;
  readonly webauthn: WebauthnSettings;
}

const Variables = z.object({
  JWT_SECRET: z.string().optional(),
  JWT_SECRET_PREVIOUS: z.string().optional(),
  SIGNING_KEY_DAYS: wholeNumber('days, from 1 to 365', 365)
    .refine((days) => days > 0)
    .prefault('30'),
  WEBAUTHN_RP_ID: z
    .string()
    .regex(/^[a-z0-9.-]+$/, 'a domain such as example.com')
    .optional(),
  WEBAUTHN_ORIGINS: z.string().optional(),
});

export function usersSettings(env: Environment, { home, production, portalUrl }: Settings): UsersSettings {
  const values = readVariables(Variables, env);
  const webauthn = webauthnOf({ portalUrl, rpId: values.WEBAUTHN_RP_ID, origins: values.WEBAUTHN_ORIGINS });
  const problems = [
    ...foreignOrigins(webauthn),
    ...(production ? weaknessesOf('JWT_SECRET', values.JWT_SECRET) : []),
  ];
  if (problems.length > 0) throw new SettingsInvalid(problems);
  return {
    jwtSecret: values.JWT_SECRET ?? keptSecret(home, 'jwt'),
    previousJwtSecret: values.JWT_SECRET_PREVIOUS,
    signingKeyDays: values.SIGNING_KEY_DAYS,
    webauthn,
  };
}
