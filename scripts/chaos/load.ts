import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { tries } from '@marimo/testing';

/** People at work, all the time, until they are told to stop. */
export interface Load {
  /** What went wrong so far, each with what was asked. */
  readonly failures: readonly string[];
  readonly answered: number;
  /** Ids of the entries whose posting was acknowledged. */
  readonly posted: readonly string[];
  /** Until so many more have been answered. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
}

const people = tries(3, 6);
/** Without a pause they would take all of the processor that the tests beside and the instances that start need. */
const pauseMs = tries(20, 0);

/** Who asks. */
type Headers = Readonly<Record<string, string>>;

/**
 * Each asks one thing after the other, in turn from every gateway. As a load balancer does, what was refused a connection,
 * and a read whose idle connection was just closed, goes to the next gateway; every other failure counts.
 */
export function startLoad(
  origins: readonly string[],
  { apiKey, ...credentials }: { email: string; password: string; apiKey: string },
): Load {
  const failures: string[] = [];
  const posted: string[] = [];
  let answered = 0;
  let stopping = false;
  let turn = 0;

  async function send(method: string, path: string, who: Headers, body?: object) {
    const first = turn++;
    for (let tries = 0; ; tries += 1) {
      let began = false;
      try {
        const answer = await fetch(`${origins[(first + tries) % origins.length]}${path}`, {
          method,
          headers: {
            ...who,
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        began = true;
        return { status: answer.status, text: await answer.text() };
      } catch (error) {
        const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
        // A connection kept alive that is closed as a read goes out: RFC 9112, section 9.3.1, lets any client repeat it.
        const isRead = method === 'GET' && !began && ['ECONNRESET', 'UND_ERR_SOCKET'].includes(code ?? '');
        if ((code !== 'ECONNREFUSED' && !isRead) || tries === origins.length)
          return { status: 0, text: `${code}: ${(error as Error).message}` };
      }
    }
  }

  async function demand(method: string, path: string, who: Headers, body?: object): Promise<string> {
    const { status, text } = await send(method, path, who, body);
    answered += 1;
    if (pauseMs > 0) await sleep(pauseMs);
    if (status !== 200 && status !== 201) failures.push(`${method} ${path}: ${status} ${text.slice(0, 300)}`);
    return text;
  }

  async function work(): Promise<void> {
    let session: { accessToken?: string; refreshToken?: string } = {};
    while (!stopping) {
      session = JSON.parse(await demand('POST', '/api/v1/users/login', {}, credentials));
      const { accessToken } = session;
      if (accessToken === undefined) continue; // said above already
      const person = { authorization: `Bearer ${accessToken}` };
      for (let n = 0; n < 5 && !stopping; n += 1) {
        await demand('GET', '/api/v1/users/me', person);
        await demand('GET', '/api/v1/accounting/accounts', person);
        const entry = entryOf(newId());
        const before = failures.length;
        await demand('POST', '/api/v1/accounting/journal-entries', person, entry);
        if (failures.length === before) posted.push(entry.entryId);
        await demand('GET', '/api/v1/workers/notifications', person);
        await demand('GET', '/api/v1/accounting/accounts', { 'x-api-key': apiKey });
      }
      const { refreshToken } = session;
      await demand('POST', '/api/v1/users/refresh', {}, { refreshToken });
    }
  }

  const working = Array.from({ length: people }, work);
  return {
    failures,
    posted,
    get answered() {
      return answered;
    },
    async more(count) {
      const wanted = answered + count;
      while (answered < wanted && !stopping) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async stop() {
      stopping = true;
      await Promise.all(working);
    },
  };
}

function entryOf(entryId: string) {
  const amount = { amount: '10.00', currency: 'EUR' };
  return {
    entryId,
    postingDate: '2026-01-15',
    description: 'Paid-in capital',
    lines: [
      { accountCode: 'cash', side: 'debit', amount },
      { accountCode: 'capital', side: 'credit', amount },
    ],
  };
}
