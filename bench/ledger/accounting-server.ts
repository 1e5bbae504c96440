import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AnyEndpoint, newId } from '@marimo/contracts';
import { accounts } from '@marimo/contracts/accounting';
import { accessTokens, organisations } from '@marimo/contracts/users';
import { runningEmbeddedServer, type ServerAddress } from '@marimo/postgres';
import { freePorts, startPrivateProcess } from '@marimo/testing/outside';
import { makeSigner } from '@marimo/testing/tokens';
import { Pool } from 'undici';

/** The service as one organisation uses it. */
export interface Books {
  readonly tenantId: string;
  /** One request; throws where the answer is no 2xx. */
  ask<Reply>(endpoint: AnyEndpoint, search: string, body?: string, contentType?: string): Promise<Reply>;
  addAccounts(codes: readonly string[]): Promise<void>;
}

export interface AccountingServer extends Books {
  /** Those of another organisation. */
  others(): Books;
  /** The database's administrator, for the plain SQL beside it. */
  readonly server: ServerAddress;
  stop(): Promise<void>;
}

/**
 * The service in a process of its own, as `node services/accounting/main.ts` starts it: embedded PostgreSQL that waits
 * for the disk at each commit, outbox and relay at work. `users` is a stand-in that only knows keys and a currency.
 */
export async function startAccountingServer(): Promise<AccountingServer> {
  const started = new AsyncDisposableStack();
  try {
    const home = await mkdtemp(join(tmpdir(), 'marimo-bench-'));
    started.defer(() => rm(home, { recursive: true, force: true }));
    const users = await standInForUsers(started);
    const [port] = (await freePorts(1)) as [number];
    const url = `http://127.0.0.1:${port}`;
    const service = await startPrivateProcess({
      binary: 'node',
      args: [fileURLToPath(new URL('../../services/accounting/main.ts', import.meta.url))],
      env: {
        NODE_ENV: '',
        MARIMO_HOME: home,
        LOG_LEVEL: 'error',
        USERS_PORT: String(users.port),
        ACCOUNTING_PORT: String(port),
      },
      isReady: async () => (await fetch(`${url}/ready`)).ok,
      startWithinMs: 60_000,
    });
    started.defer(() => service.stop());
    const server = await runningEmbeddedServer(join(home, 'postgres'));
    if (server === undefined) throw new Error('The embedded database is not where it was expected');
    const pool = new Pool(url, { connections: 32, headersTimeout: 0, bodyTimeout: 0 });
    started.defer(() => pool.close());

    const booksOf = (tenantId: string): Books => {
      const ask: Books['ask'] = async ({ method, path }, search, body, type = 'application/json') => {
        const authorization = `Bearer ${users.token(tenantId)}`;
        const headers = body === undefined ? { authorization } : { authorization, 'content-type': type };
        const answer = await pool.request({ method, path: path + search, headers, body: body ?? null });
        const text = await answer.body.text();
        if (answer.statusCode >= 300)
          throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
        return JSON.parse(text);
      };
      const addAccounts: Books['addAccounts'] = async (codes) => {
        for (const code of codes) {
          await ask(accounts.create, '', JSON.stringify({ code, name: code, type: 'asset' }));
        }
      };
      return { tenantId, ask, addAccounts };
    };
    return {
      ...booksOf(newId()),
      others: () => booksOf(newId()),
      server: { ...server, database: 'marimo' },
      stop: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function standInForUsers(started: AsyncDisposableStack) {
  const signer = makeSigner();
  const organisation: organisations.OrganisationSettings = {
    id: newId(),
    name: 'Pine & Co',
    baseCurrency: 'RUB',
    language: 'en',
    timeZone: 'Europe/Moscow',
    state: 'active',
    requireSecondFactor: false,
    strictSeparation: false,
    closesAt: null,
  };
  const answers: Readonly<Record<string, unknown>> = {
    [accessTokens.getSigningKeys.path]: { keys: [signer.jwk] },
    [accessTokens.listRevocations.path]: { items: [], next: '0' },
    [organisations.get.path]: organisation,
  };
  const server = createServer((request, reply) => {
    reply.setHeader('content-type', 'application/json');
    reply.end(JSON.stringify(answers[(request.url ?? '').split('?', 1)[0] ?? ''] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  started.defer(async () => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as { port: number };
  const tokens = new Map<string, { readonly token: string; readonly freshUntil: number }>();
  return {
    port,
    /** Kept for ten minutes: a benchmark may outlast a token. */
    token(tenantId: string): string {
      const kept = tokens.get(tenantId);
      if (kept !== undefined && Date.now() < kept.freshUntil) return kept.token;
      const token = signer.sign({ tid: tenantId });
      tokens.set(tenantId, { token, freshUntil: Date.now() + 600_000 });
      return token;
    },
  };
}
