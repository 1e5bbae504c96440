import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { Id } from '../ids.ts';
import { CurrencyCode } from '../measures.ts';
import { personal } from '../personal.ts';
import { Name } from '../texts.ts';

/** Letters of any script. What would need quoting in a mail header is refused, so a header can never be broken. */
export const Email = personal(
  z
    .string()
    .trim()
    .max(254)
    .regex(
      /^[^\s@"(),:;<>[\\\]\p{C}]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}-]{2,63}$/u,
      'must be an e-mail address',
    ),
);

export const Language = z.enum(['ru', 'en']);
export type Language = z.infer<typeof Language>;

/** Making a format to find out costs 70 µs, and each reply with a person in it asks. */
const known = new Set<string>();

function isTimeZone(name: string): boolean {
  if (known.has(name)) return true;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    // Any case is taken: only the usual spellings are kept, of which there are some hundreds.
    if (timeZone === name) known.add(name);
    return timeZone !== '';
  } catch {
    return false;
  }
}

/** A name of the IANA time zone database: `Europe/Moscow`. Never an offset, which knows no summer. */
export const TimeZone = z
  .string()
  .max(60)
  .regex(/^[A-Za-z]/)
  .refine(isTimeZone, 'must be a time zone such as Europe/Moscow');

/** Whole: never cut, never shown again. The rule of strength is `PasswordTooWeak`'s. */
export const Password = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode text');

/** `suspended` and `closing` can be undone by an administrator, the second until a day that is told; `closed` cannot. */
export const OrganisationState = z.enum(['active', 'suspended', 'closing', 'closed']);
export type OrganisationState = z.infer<typeof OrganisationState>;

export const Organisation = z.strictObject({
  id: Id,
  name: z.string(),
  baseCurrency: CurrencyCode,
  language: Language,
  timeZone: TimeZone,
  state: OrganisationState,
});
export type Organisation = z.infer<typeof Organisation>;

export const User = z.strictObject({
  id: Id,
  name: personal(z.string()),
  email: personal(z.string()),
  emailVerified: z.boolean(),
  language: Language,
  timeZone: TimeZone,
});
export type User = z.infer<typeof User>;

export const RegisterOrganisation = z.strictObject({
  organisation: Name, // its name; ids are ours
  name: personal(Name), // the first administrator's
  email: Email,
  password: Password,
  baseCurrency: CurrencyCode.default('RUB'),
  language: Language.default('ru'),
  timeZone: TimeZone.default('UTC'), // theirs and, until it is changed, the organisation's
});
export type RegisterOrganisation = z.output<typeof RegisterOrganisation>;

export const Login = z.strictObject({
  email: Email,
  password: Password,
  /** Where this device is known: it then has attempts of its own. */
  deviceToken: z.string().max(200).optional(),
});
export type Login = z.output<typeof Login>;

export const WithRefreshToken = z.strictObject({ refreshToken: z.string().min(1).max(200) });

export const SignedIn = z.strictObject({
  accessToken: z.string(),
  /** Good once; each refresh gives the next. */
  refreshToken: z.string(),
  /** Seconds the access token lasts. */
  expiresIn: z.int(),
  tokenType: z.literal('Bearer'),
  user: User,
  organisation: Organisation,
});
export type SignedIn = z.infer<typeof SignedIn>;

export const Me = z.strictObject({
  user: User,
  organisation: Organisation,
  roles: z.array(RoleName),
  /** Permissions by name; `accounting.*` stands for all that begin so, `*` for all there are. */
  permissions: z.array(z.string()),
  /** The organisation demands a second factor: until one is added there are no rights. */
  mustEnrolSecondFactor: z.boolean(),
  /** There is one, but this session has not seen it: a step-up brings the rights. */
  mustProveSecondFactor: z.boolean(),
});
export type Me = z.infer<typeof Me>;
