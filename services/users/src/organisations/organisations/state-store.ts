import type { organisations } from '@marimo/contracts/users';
import type { TenantTransaction, Transaction } from '@marimo/postgres';

/**
 * Nobody else changes who belongs here, or in what state the organisation is, until this transaction ends; and no token
 * is made meanwhile. Take the time only after it: then no token made before is younger than what voids it.
 */
export async function lockOrganisation(tx: Transaction): Promise<void> {
  await tx.run(
    'select from organisation where tenant_id = $1 for update',
    [tx.tenantId],
    'lock_organisation',
  );
}

/** For what makes a token: nobody takes rights away while it is read what they are. Many do this at the same time. */
export async function lockOrganisationShared(tx: Transaction): Promise<void> {
  await tx.run(
    'select from organisation where tenant_id = $1 for key share',
    [tx.tenantId],
    'hold_organisation',
  );
}

export interface Administrator {
  readonly personId: string;
  /** Their role has no end. */
  readonly endless: boolean;
}

/** The active members who are administrators now. */
export function listAdministrators(tx: Transaction, now: Date): Promise<Administrator[]> {
  return tx.rows(
    `select a.person_id as "personId", bool_or(a.valid_until is null) as endless
       from role_assignment a
       join member m on m.tenant_id = a.tenant_id and m.person_id = a.person_id and m.state = 'active'
      where a.tenant_id = $1 and a.role = 'admin' and a.revoked_at is null
        and a.valid_from <= $2 and (a.valid_until is null or a.valid_until > $2)
      group by a.person_id`,
    [tx.tenantId, now],
  );
}

/** The settings with their version, which is the ETag. */
export interface VersionedSettings {
  readonly settings: organisations.OrganisationSettings;
  readonly version: number;
}

export async function getSettings(tx: Transaction): Promise<VersionedSettings | undefined> {
  const row = await tx.first<organisations.OrganisationSettings & { readonly version: number }>(
    `select tenant_id as id, name, base_currency as "baseCurrency", language, time_zone as "timeZone", state,
            require_second_factor as "requireSecondFactor", strict_separation as "strictSeparation",
            closes_at as "closesAt", version
       from organisation
      where tenant_id = $1`,
    [tx.tenantId],
    'organisation_settings',
  );
  if (row === undefined) return undefined;
  const { version, ...settings } = row;
  return { settings, version };
}

/** Writes all that can change, as the next version. */
export async function updateSettings(
  tx: Transaction,
  settings: organisations.OrganisationSettings,
): Promise<void> {
  const { name, language, timeZone, state, closesAt, requireSecondFactor, strictSeparation } = settings;
  await tx.run(
    `update organisation
        set name = $2, language = $3, time_zone = $4, state = $5, closes_at = $6, require_second_factor = $7,
            strict_separation = $8, version = version + 1
      where tenant_id = $1`,
    [tx.tenantId, name, language, timeZone, state, closesAt, requireSecondFactor, strictSeparation],
  );
}

/** Of the organisation of the transaction. */
export async function getOrganisationName(tx: TenantTransaction): Promise<string> {
  const row = await tx.first<{ name: string }>('select name from organisation where tenant_id = $1', [
    tx.tenantId,
  ]);
  return row?.name ?? '';
}
