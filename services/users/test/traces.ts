import { newId } from '@marimo/contracts';
import { apiKeys, deviceSessions, type identity, people } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from './claims.ts';

/** Every table of the service, row for row, with what in it holds the text in any writing. */
export async function tablesWith(users: ServiceUnderTest, text: string): Promise<string[]> {
  const tables = await users.database.sql<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'users' order by 1",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = JSON.stringify(await users.rows(name), inText).toLowerCase();
    if (rows.includes(text.toLowerCase())) found.push(name);
  }
  return found;
}
/** What waits in the outbox is on its way. */
export async function published(users: ServiceUnderTest): Promise<void> {
  for (let tries = 0; tries < 200 && (await users.rows('outbox')).length > 0; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What their devices are called, so that they can be told from those of others. */
export const theirs = ({ user }: identity.SignedIn) => `of ${user.email.split('@')[0]}!`;

/** Leaves traces of a person wherever there can be some. */
export async function traces(users: ServiceUnderTest, of: identity.SignedIn, now: Date): Promise<void> {
  const as = of.accessToken;
  const body = { keyId: newId(), name: `Key ${theirs(of)}`, scopes: ['workers.notification.read'] };
  await users.call(apiKeys.createOwn, { body }, { as });
  const sessionId = claimsOf(of).sid;
  await users.call(
    deviceSessions.nameMine,
    { params: { sessionId }, body: { deviceName: `Laptop ${theirs(of)}` } },
    { as },
  );
  await users.call(people.askPasswordReset, { body: { email: of.user.email } });
  await users.database.sql(
    `insert into second_factor (factor_id, person_id, kind, name, begun_at, added_at)
     values ($1, $2, 'totp', $4, $3, $3)`,
    [newId(), of.user.id, now, `Phone ${theirs(of)}`],
  );
}

/** The provider of the organisation calls them by a name of its own. */
export async function linked(
  users: ServiceUnderTest,
  { organisation, user }: identity.SignedIn,
  subject: string,
  now: Date,
): Promise<void> {
  const providerId = newId();
  await users.database.sql(
    `insert into sign_in_provider (tenant_id, provider_id, name, issuer, client_id, scopes, roles_claim, roles,
       default_roles, create_members, email_domains, trust_second_factor, enabled, created_at)
     values ($1, $2, 'Company', 'https://id.example.com', 'erp', '{}', 'groups', '{}', '{}', false, '{}', false, true, $3)`,
    [organisation.id, providerId, now],
  );
  await users.database.sql(
    `insert into federated_identity (tenant_id, provider_id, subject, person_id, linked_at, last_used_at)
     values ($1, $2, $3, $4, $5, $5)`,
    [organisation.id, providerId, subject, user.id, now],
  );
}

const inText = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
