import type { signInProviders } from '@marimo/contracts/users';
import type { TenantTransaction } from '@marimo/postgres';
import type { SealedSecret } from '../second-factors/index.ts';

/** What an organisation decides about a provider of its own. */
export interface ProviderSettings {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly rolesClaim: string;
  /** From a value of the claim to a role. */
  readonly roles: Readonly<Record<string, string>>;
  readonly defaultRoles: readonly string[];
  readonly createMembers: boolean;
  readonly emailDomains: readonly string[];
  readonly trustSecondFactor: boolean;
  /** Null where it goes by what the provider offers. */
  readonly clientAuthentication: signInProviders.SignInProvider['clientAuthentication'];
  readonly enabled: boolean;
}

export interface Provider extends ProviderSettings {
  readonly providerId: string;
  /** Null for a public client. */
  readonly secret: SealedSecret | null;
  readonly createdAt: Date;
  readonly version: number;
}

interface Row extends Omit<Provider, 'secret'> {
  readonly sealedSecret: Buffer | null;
  readonly keyId: string | null;
}

const columns = `provider_id as "providerId", name, issuer, client_id as "clientId", sealed_secret as "sealedSecret",
  secret_key_id as "keyId", scopes, roles_claim as "rolesClaim", roles, default_roles as "defaultRoles",
  create_members as "createMembers", email_domains as "emailDomains", trust_second_factor as "trustSecondFactor",
  client_authentication as "clientAuthentication", enabled, created_at as "createdAt", version`;

function fromRow({ sealedSecret, keyId, ...row }: Row): Provider {
  return { ...row, secret: sealedSecret === null || keyId === null ? null : { sealedSecret, keyId } };
}

export async function listProviders(tx: TenantTransaction): Promise<Provider[]> {
  const rows = await tx.rows<Row>(
    `select ${columns} from sign_in_provider where tenant_id = $1 order by created_at, provider_id`,
    [tx.tenantId],
  );
  return rows.map(fromRow);
}

export async function getProvider(tx: TenantTransaction, providerId: string): Promise<Provider | undefined> {
  const row = await tx.first<Row>(
    `select ${columns} from sign_in_provider where tenant_id = $1 and provider_id = $2`,
    [tx.tenantId, providerId],
    'sign_in_provider',
  );
  return row && fromRow(row);
}

type Stored = Omit<Provider, 'version' | 'createdAt'>;

function valuesOf(tx: TenantTransaction, provider: Stored): unknown[] {
  const { providerId, name, issuer, clientId, secret, scopes, rolesClaim, roles } = provider;
  const { defaultRoles, createMembers, emailDomains, trustSecondFactor, enabled, clientAuthentication } =
    provider;
  return [
    tx.tenantId,
    providerId,
    name,
    issuer,
    clientId,
    secret?.sealedSecret ?? null,
    secret?.keyId ?? null,
    scopes,
    rolesClaim,
    JSON.stringify(roles),
    defaultRoles,
    createMembers,
    emailDomains,
    trustSecondFactor,
    enabled,
    clientAuthentication,
  ];
}

export async function insertProvider(tx: TenantTransaction, provider: Stored, now: Date): Promise<void> {
  await tx.run(
    `insert into sign_in_provider
       (tenant_id, provider_id, name, issuer, client_id, sealed_secret, secret_key_id, scopes, roles_claim, roles,
        default_roles, create_members, email_domains, trust_second_factor, enabled,
        client_authentication, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    [...valuesOf(tx, provider), now],
  );
}

export async function updateProvider(tx: TenantTransaction, provider: Stored): Promise<void> {
  await tx.run(
    `update sign_in_provider
        set name = $3, issuer = $4, client_id = $5, sealed_secret = $6, secret_key_id = $7, scopes = $8,
            roles_claim = $9, roles = $10, default_roles = $11, create_members = $12, email_domains = $13,
            trust_second_factor = $14, enabled = $15, client_authentication = $16, version = version + 1
      where tenant_id = $1 and provider_id = $2`,
    valuesOf(tx, provider),
  );
}

export interface BegunSignIn {
  readonly stateHash: Buffer;
  readonly browserHash: Buffer;
  readonly providerId: string;
  /** The provider was told to ask anew who it is. */
  readonly freshly: boolean;
  readonly expiresAt: Date;
}

/** Sweeps out what nobody came back from as well. */
export async function insertSignIn(tx: TenantTransaction, begun: BegunSignIn, now: Date): Promise<void> {
  const { stateHash, browserHash, providerId, freshly, expiresAt } = begun;
  await tx.run('delete from federated_sign_in where tenant_id = $1 and expires_at <= $2', [tx.tenantId, now]);
  await tx.run(
    `insert into federated_sign_in (tenant_id, state_hash, provider_id, browser_hash, freshly, expires_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [tx.tenantId, stateHash, providerId, browserHash, freshly, expiresAt],
  );
}

/**
 * What was kept of a sign-in that has begun in this browser. It is used up with that: of two who come at once one gets it,
 * and whoever comes without the browser's secret changes nothing.
 */
export async function useSignIn(
  tx: TenantTransaction,
  { stateHash, browserHash }: Pick<BegunSignIn, 'stateHash' | 'browserHash'>,
  now: Date,
): Promise<Pick<BegunSignIn, 'providerId' | 'freshly'> | undefined> {
  return tx.first(
    `update federated_sign_in set used_at = $4
      where tenant_id = $1 and state_hash = $2 and browser_hash = $3 and used_at is null and expires_at > $4
     returning provider_id as "providerId", freshly`,
    [tx.tenantId, stateHash, browserHash, now],
    'use_federated_sign_in',
  );
}
