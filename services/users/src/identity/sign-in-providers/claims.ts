import { Name } from '@marimo/contracts';
import { identity } from '@marimo/contracts/users';
import { emailKey } from '../people/index.ts';
import type { ProviderSettings } from './store.ts';

/** What an identity token says; only its shape as JSON is known. */
export type Claims = Readonly<Record<string, unknown>>;

/** Whom the provider means; undefined for a text no provider may use (OpenID Connect Core, section 2). */
export function subjectIn({ sub }: Claims): string | undefined {
  return typeof sub === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(sub) ? sub : undefined;
}

/** The address the provider has verified; undefined when it says of none that it has, in so many words. */
export function verifiedEmail({ email, email_verified }: Claims): string | undefined {
  const read = identity.Email.safeParse(email);
  return email_verified === true && read.success ? read.data : undefined;
}

/** Whether people of this address, whom nobody knows, may become members. Subdomains are domains of their own. */
export function mayJoin(email: string, { createMembers, emailDomains }: ProviderSettings): boolean {
  const key = emailKey(email);
  return createMembers && emailDomains.includes(key.slice(key.lastIndexOf('@') + 1));
}

/**
 * The roles somebody is to have: the default ones and those their values of the claim stand for. Anything but a list of
 * texts, or one text, stands for none.
 */
export function wantedRoles(
  claims: Claims,
  { rolesClaim, roles, defaultRoles }: Pick<ProviderSettings, 'rolesClaim' | 'roles' | 'defaultRoles'>,
): string[] {
  const found = claimAt(claims, rolesClaim);
  const values = typeof found === 'string' ? [found] : Array.isArray(found) ? found : [];
  const mapped = values.flatMap((value) =>
    typeof value === 'string' && Object.hasOwn(roles, value) ? [roles[value] ?? ''] : [],
  );
  return [...new Set([...defaultRoles, ...mapped])].sort();
}

/** Whether values of a claim stand for roles and the token has no such claim. */
export function lacksRolesClaim(
  claims: Claims,
  { rolesClaim, roles }: Pick<ProviderSettings, 'rolesClaim' | 'roles'>,
): boolean {
  return Object.keys(roles).length > 0 && claimAt(claims, rolesClaim) === undefined;
}

/**
 * Dots lead inwards, but a name may have dots of its own, as addresses and Keycloak's clients do: at each level the
 * longest name that is there counts.
 */
function claimAt(inside: unknown, path: string): unknown {
  if (typeof inside !== 'object' || inside === null) return undefined;
  const parts = path.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const name = parts.slice(0, length).join('.');
    if (!Object.hasOwn(inside, name)) continue;
    const value = (inside as Claims)[name];
    return length === parts.length ? value : claimAt(value, parts.slice(length).join('.'));
  }
  return undefined;
}

export interface Profile {
  readonly name: string;
  readonly language: identity.Language;
  readonly timeZone: string;
}

/** What a new member is called; what the token does not say, or says strangely, is as the organisation has it. */
export function profileIn(
  claims: Claims,
  email: string,
  organisation: Pick<Profile, 'language' | 'timeZone'>,
): Profile {
  const { name, given_name, family_name, preferred_username, locale, zoneinfo } = claims;
  const whole = [given_name, family_name].filter((part) => typeof part === 'string').join(' ');
  const mailbox = email.slice(0, email.lastIndexOf('@'));
  const names = [name, whole, preferred_username, mailbox].map((each) => Name.safeParse(each));
  const language = identity.Language.safeParse(
    typeof locale === 'string' ? locale.slice(0, 2).toLowerCase() : '',
  );
  const timeZone = identity.TimeZone.safeParse(zoneinfo);
  return {
    name: names.find(({ success }) => success)?.data ?? email,
    language: language.data ?? organisation.language,
    timeZone: timeZone.data ?? organisation.timeZone,
  };
}

/** Whether the provider says that it asked for a second factor (RFC 8176). */
export function hadSecondFactor({ amr }: Claims): boolean {
  return Array.isArray(amr) && amr.includes('mfa');
}

/** Before any proof that counts as young; not 0, which tokens say of programs. */
const longAgo = 1_000;

/**
 * When the provider last asked who it was, and never later than now. Where it does not say: now if it was told to ask
 * anew, else long ago, because providers let people through whom they know without asking anything.
 */
export function provedAt({ auth_time }: Claims, freshly: boolean, now: Date): Date {
  if (typeof auth_time !== 'number' || !(auth_time >= 0)) return freshly ? now : new Date(longAgo);
  return new Date(Math.max(longAgo, Math.min(now.getTime(), auth_time * 1_000)));
}
