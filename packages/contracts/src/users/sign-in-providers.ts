import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { RoleName } from '../built-in-roles.ts';
import { endpoint } from '../endpoint.ts';
import { event } from '../event.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
import { TooManyRequests } from '../platform/refusals.ts';
import { Name } from '../texts.ts';
import { SignedIn } from './identity.ts';
import { LimitReached, mostAtATime } from './limits.ts';
import { changeSignInProviders, readSignInProviders } from './permissions.ts';
import { GrantsBeyondOwn, RoleUnknown, SeparationOfDutiesViolated, TooManyRights } from './role-refusals.ts';
import { SecondFactorAsked } from './second-factors.ts';

const NoFacts = z.object({});

export class SignInProviderConflict extends refusal(NoFacts, {
  code: 'users.sign-in-provider-conflict',
  kind: 'conflict',
  title: 'Another sign-in provider has this id',
  detail: () => 'Use the existing provider, or choose a new providerId.',
}) {}

export class SignInProviderUnusable extends refusal(z.object({ reason: z.string() }), {
  code: 'users.sign-in-provider-unusable',
  kind: 'refused',
  title: 'The sign-in provider cannot be used',
  detail: ({ reason }) => reason,
}) {}

/** One answer for a state nobody knows, one that is used or too old, another browser, and a token that is not right. */
export class FederatedSignInRefused extends refusal(NoFacts, {
  code: 'users.federated-sign-in-refused',
  kind: 'unauthenticated',
  title: 'The sign-in could not be completed',
  detail: () => 'Start again from the sign-in page.',
}) {}

const reasons = {
  'email-unverified': 'The provider has not verified your e-mail address. Contact its administrator.',
  'account-elsewhere':
    'An account with your e-mail exists. Ask the organisation for an invitation and accept it.',
  'no-member': 'You are not a member of this organisation. Ask its administrator for an invitation.',
  'member-suspended': 'Your membership is suspended. Contact an administrator of the organisation.',
} as const;
export const FederatedRefusalReason = z.enum(Object.keys(reasons) as (keyof typeof reasons)[]);

export class FederatedAccountRefused extends refusal(z.object({ reason: FederatedRefusalReason }), {
  code: 'users.federated-account-refused',
  kind: 'forbidden',
  title: 'You cannot sign in with this provider',
  detail: ({ reason }) => reasons[reason],
}) {}

/** As the provider writes it, to the last slash; no query and no fragment (OpenID Connect Discovery, section 3). */
const Issuer = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .regex(/^[^?#@]+$/, 'must be a URL without query, fragment and user');
/** In letters of any script; kept as ASCII (UTS 46), at most 253 (RFC 1035, section 2.3.4, without the dot at the end). */
const Domain = z
  .string()
  .max(253)
  .regex(/^([\p{L}\p{M}\p{N}-]+\.)+[\p{L}\p{M}\p{N}-]{2,}$/u, 'must be a domain such as example.com')
  .transform((domain) => (URL.canParse(`http://${domain}`) ? new URL(`http://${domain}`).hostname : ''))
  .pipe(
    z.string().regex(/^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z0-9-]{2,63}$/, 'must be a domain such as example.com'),
  );
/** From a value of the claim to a role. */
const RoleMapping = z
  .record(z.string().min(1).max(200), RoleName)
  .refine((mapping) => Object.keys(mapping).length <= 100, 'must have at most 100 values');

const settings = {
  name: Name,
  issuer: Issuer,
  clientId: z.string().regex(/^[\x20-\x7e]{1,200}$/),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/)).max(20),
  /**
   * Where the values stand in the identity token; dots lead inwards: Keycloak has `realm_access.roles`. At each level the
   * longest name that is there counts, so names may have dots: `resource_access.com.example.erp.roles`.
   */
  rolesClaim: z.string().min(1).max(200),
  roles: RoleMapping,
  /** What everybody gets who signs in with it. */
  defaultRoles: z.array(RoleName).max(20),
  /** Whether people nobody knows become members at their first sign-in, if their address is of one of these domains. */
  createMembers: z.boolean(),
  emailDomains: z.array(Domain).max(50),
  /** Whether a second factor at the provider counts as one here. */
  trustSecondFactor: z.boolean(),
  /** How the client secret is sent; null for `client_secret_post` where the provider offers it. */
  clientAuthentication: z.enum(['client_secret_post', 'client_secret_basic']).nullable(),
  enabled: z.boolean(),
};

export const SignInProvider = z.strictObject({
  providerId: Id,
  ...settings,
  /** The secret itself is never shown. */
  hasClientSecret: z.boolean(),
  /** To be entered at the provider. */
  redirectUri: z.string(),
  createdAt: Instant,
});
export type SignInProvider = z.infer<typeof SignInProvider>;

const ClientSecret = z.string().min(1).max(500);

/** The caller picks `providerId`, so a retry connects once. */
export const NewSignInProvider = z.strictObject({
  ...settings,
  providerId: Id,
  clientSecret: ClientSecret.optional(), // none for a public client
  scopes: settings.scopes.default(['openid', 'profile', 'email']),
  rolesClaim: settings.rolesClaim.default('groups'),
  roles: settings.roles.default({}),
  defaultRoles: settings.defaultRoles.default([]),
  createMembers: settings.createMembers.default(false),
  emailDomains: settings.emailDomains.default([]),
  trustSecondFactor: settings.trustSecondFactor.default(false),
  clientAuthentication: settings.clientAuthentication.default(null),
  enabled: settings.enabled.default(true),
});
export type NewSignInProvider = z.output<typeof NewSignInProvider>;

const path = '/api/v1/users/sign-in-providers';
const OneProvider = z.strictObject({ providerId: Id });
const refusals = [RoleUnknown, GrantsBeyondOwn];

export const connect = endpoint({
  method: 'POST',
  path,
  summary: `Connects an OpenID provider, such as Keycloak, for members to sign in with; at most ${mostAtATime.signInProviders}.`,
  access: changeSignInProviders,
  stepUp: true,
  body: NewSignInProvider,
  replies: { 201: SignInProvider, 200: SignInProvider },
  refusals: [SignInProviderConflict, SignInProviderUnusable, LimitReached, ...refusals],
  repeat: 'natural', // by its id; the secret in it is kept nowhere else
});

export const list = endpoint({
  method: 'GET',
  path,
  summary: "Lists the organisation's sign-in providers.",
  access: readSignInProviders,
  replies: { 200: z.strictObject({ items: z.array(SignInProvider), next: z.null() }) },
});

export const get = endpoint({
  method: 'GET',
  path: `${path}/{providerId}`,
  summary: 'Returns a sign-in provider. Send the ETag as If-Match when updating it.',
  access: readSignInProviders,
  params: OneProvider,
  replies: { 200: SignInProvider },
});

export const change = endpoint({
  method: 'PATCH',
  path: `${path}/{providerId}`,
  summary:
    'Updates a sign-in provider. Disabling it ends no sessions; changing the issuer removes all linked accounts.',
  access: changeSignInProviders,
  stepUp: true,
  params: OneProvider,
  body: z.strictObject({ ...settings, clientSecret: ClientSecret.nullable() }).partial(),
  replies: { 200: SignInProvider },
  refusals: [SignInProviderUnusable, ...refusals],
});

export const check = endpoint({
  method: 'POST',
  path: `${path}/{providerId}/check`,
  summary: "Fetches the provider's configuration and returns the result.",
  access: changeSignInProviders,
  params: OneProvider,
  replies: {
    200: z.strictObject({
      issuer: z.string(),
      authorizationEndpoint: z.string(),
      /** Whether it says that it checks PKCE with S256. It is always sent; a client without a secret depends on it. */
      offersPkce: z.boolean(),
    }),
  },
  refusals: [SignInProviderUnusable],
  repeat: 'natural',
});

export const listSignInOptions = endpoint({
  method: 'GET',
  path: '/api/v1/users/organisations/{organisationId}/sign-in-options',
  summary:
    'Lists the providers that members of an organisation can sign in with; empty for an unknown organisation.',
  access: 'public',
  params: z.strictObject({ organisationId: Id }),
  replies: { 200: z.strictObject({ items: z.array(z.strictObject({ providerId: Id, name: z.string() })) }) },
});

export const beginSignIn = endpoint({
  method: 'POST',
  path: '/api/v1/users/federated-sign-ins',
  summary:
    'Starts a sign-in with a provider. Returns the address to redirect the browser to and the values it must keep.',
  access: 'public',
  body: z.strictObject({
    organisationId: Id,
    providerId: Id,
    /** The provider is to ask anew who it is, as a step-up does here. */
    freshly: z.boolean().default(false),
  }),
  replies: {
    201: z.strictObject({
      authorizationUrl: z.string(),
      state: z.string(),
      /** Kept by this browser alone: whoever lures somebody else into the end of a sign-in does not have it. */
      browserSecret: z.string(),
      expiresAt: Instant,
    }),
  },
  refusals: [FederatedSignInRefused, SignInProviderUnusable, TooManyRequests],
  repeat: 'natural',
});

/**
 * The redirect URI. It proves nothing by itself, so it only leads on to the portal, which has the browser's secret. Each
 * organisation has its own, so that no code of its provider reaches a provider of another (RFC 9700, section 4.4.2).
 */
export const callback = endpoint({
  method: 'GET',
  path: '/api/v1/users/federated-sign-ins/callback/{organisationId}',
  summary: "Receives the provider's redirect and redirects the browser to the portal.",
  access: 'public',
  params: z.strictObject({ organisationId: Id }),
  query: z.looseObject({
    state: z.string().max(200),
    code: z.string().max(4_000).optional(),
    iss: z.string().max(500).optional(),
    error: z.string().max(200).optional(),
  }),
  replies: { 303: z.null() },
});

export const finishSignIn = endpoint({
  method: 'POST',
  path: '/api/v1/users/federated-sign-ins/finish',
  summary: 'Completes a sign-in with a provider. Returns tokens or asks for a second factor.',
  access: 'public',
  body: z.strictObject({
    state: z.string().max(200),
    code: z.string().min(1).max(4_000),
    iss: z.string().max(500).optional(),
    browserSecret: z.string().max(200),
  }),
  replies: { 200: SignedIn, 202: SecondFactorAsked },
  refusals: [
    FederatedSignInRefused,
    FederatedAccountRefused,
    SignInProviderUnusable,
    SeparationOfDutiesViolated,
    TooManyRights,
  ],
  repeat: 'natural',
});

const ProviderSubject = z.strictObject({ providerId: Id, name: z.string() });
/** Subject: the provider. */
export const connected = event('users.sign-in-provider-connected.v1', ProviderSubject);
export const changed = event(
  'users.sign-in-provider-changed.v1',
  ProviderSubject.extend({ changed: z.array(z.string()) }),
);
/** Subject: the person, who is the last administrator: the provider no longer gives them the role, and it stays. */
export const lastAdministratorKept = event(
  'users.last-administrator-kept.v1',
  z.strictObject({ userId: Id, providerId: Id, assignmentId: Id }),
);
/** Subject: the person. `created`: they became a member by it. */
export const identityLinked = event(
  'users.federated-identity-linked.v1',
  z.strictObject({ userId: Id, providerId: Id, created: z.boolean() }),
);
/** Subject: the person. Values of a claim stand for roles here, and the token of this sign-in had no such claim. */
export const rolesClaimMissing = event(
  'users.roles-claim-missing.v1',
  z.strictObject({ userId: Id, providerId: Id, rolesClaim: z.string() }),
);
