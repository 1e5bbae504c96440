import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** What a service logs in as: `app` for its own work, `relay` for the rows that wait to be published. */
export type LoginRole = 'app' | 'relay';

export function roleName(schema: string, role: LoginRole | 'owner'): string {
  return `${schema}_${role}`;
}

/** The password of a role where none was given: the same in every process that knows the administrator's. */
export function passwordOf(role: string, adminPassword: string): string {
  return createHmac('sha256', adminPassword).update(role).digest('base64url');
}

/**
 * Makes the three roles of a schema and sets the passwords of the two that log in. Roles belong to the whole cluster,
 * where no lock is shared between databases, so it is written to be repeated until it went through.
 */
export async function ensureRoles(
  client: pg.ClientBase,
  schema: string,
  passwords: Readonly<Record<LoginRole, string>>,
): Promise<void> {
  const owner = pg.escapeIdentifier(roleName(schema, 'owner'));
  await createRole(client, roleName(schema, 'owner'), 'nologin');
  // An administrator who is no superuser must be a member to create things for the owner.
  const { rows } = await client.query('select rolsuper from pg_roles where rolname = current_user');
  if (!rows[0].rolsuper) await untilUncontended(() => client.query(`grant ${owner} to current_user`));

  for (const role of ['app', 'relay'] as const) {
    const name = pg.escapeIdentifier(roleName(schema, role));
    await createRole(client, roleName(schema, role), 'login');
    const verifier = pg.escapeLiteral(scramVerifier(passwords[role]));
    const path = `${pg.escapeIdentifier(schema)}, pg_temp`;
    await untilUncontended(() => client.query(`alter role ${name} password ${verifier}`));
    await untilUncontended(() => client.query(`alter role ${name} set search_path = ${path}`));
  }
}

async function createRole(client: pg.ClientBase, name: string, login: 'login' | 'nologin'): Promise<void> {
  const found = await client.query(
    'select rolsuper or rolbypassrls as free from pg_roles where rolname = $1',
    [name],
  );
  if (found.rows[0]?.free) {
    throw new Error(`The role ${name} can bypass row-level security; take that right away`);
  }
  if (found.rowCount === 0) {
    await untilUncontended(() => client.query(`create role ${pg.escapeIdentifier(name)} ${login}`));
  }
}

/** Two starters on two databases of a cluster may meet in its catalogue; the later one finds the work done. */
async function untilUncontended(statement: () => Promise<unknown>): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      await statement();
      return;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === '42710' || code === '23505') return;
      if (!(code === 'XX000' && message.includes('tuple concurrently')) || tried === 20) throw error;
      await pause(Math.random() * 10 * tried);
    }
  }
}

/** RFC 5802 and 7677: the server stores and logs this instead of the password. */
function scramVerifier(password: string): string {
  const iterations = 4_096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
