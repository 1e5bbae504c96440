import { DeadlineExceeded } from '@marimo/contracts';
import { checkCatalogue } from '@marimo/postgres';
import { serviceUnderTest, tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { Pool } from 'undici';
import { notes, noteWritten, sleepInDatabase, writeNote } from '../../test/notes-service.ts';

const service = useService(notes);

const get = async (path: string) => {
  const response = await fetch(service.url + path);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe('a started service', () => {
  it('is alive and ready', async () => {
    await until(async () => (await get('/ready')).status === 200);
    expect(JSON.parse((await get('/health')).text)).toEqual({ status: 'ok' });
    expect(JSON.parse((await get('/ready')).text)).toEqual({
      ready: true,
      checks: { signingKeys: true, database: true, messages: true, staying: true },
    });
  });

  it('shows its metrics under the classic names, by route template', async () => {
    await service.call(writeNote, { body: { text: 'count me' } });
    const { text, headers } = await get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'http_requests_total',
        'http_request_duration_seconds',
        'http_request_size_bytes',
        'http_response_size_bytes',
        'db_queries_total',
        'db_query_duration_seconds',
        'outbox_oldest_age_seconds',
      ]),
    );
    expect(names.length).toBe(new Set(names).size);
    expect(text).toMatch(/http_requests_total\{[^}]*route="\/api\/v1\/config\/notes"[^}]*status="201"/);
  });

  it('publishes the events of its transactions', async () => {
    const { body } = await service.call(writeNote, { body: { text: 'tell everyone' } });
    const events = await service.events();
    expect(events.find(({ subject }) => subject === body.id)).toMatchObject({
      type: noteWritten.type,
      data: { text: 'tell everyone' },
      actorid: expect.any(String),
      requestid: expect.any(String),
    });
  });

  it('has no table that another tenant could see', async () => {
    expect(await checkCatalogue(service.database.server)).toEqual([]);
  });

  it('cancels the SQL of a request whose time is over, and says 504', async () => {
    const answer = await service.call(
      sleepInDatabase,
      { query: { seconds: 30 } },
      { headers: { 'x-marimo-deadline': String(Date.now() + 300) } },
    );
    expect(answer).toBeRefused(DeadlineExceeded);
    await until(async () => (await sleeping()) === 0);
  });

  it('cancels the SQL of a caller who has gone', async () => {
    const going = new AbortController();
    const call = service.call(sleepInDatabase, { query: { seconds: 30 }, signal: going.signal });
    await until(async () => (await sleeping()) === 1);
    going.abort();
    await expect(call).rejects.toThrow('aborted');
    await until(async () => (await sleeping()) === 0);
  });
});

describe('a stopping service', () => {
  it('finishes what is running, tells callers to leave, and loses no request', async () => {
    const stopping = await serviceUnderTest(notes);
    const pool = new Pool(stopping.url, { connections: 8 });
    const outcomes: (number | string)[] = [];
    let withdrawn = false;
    const caller = async () => {
      while (!withdrawn) {
        const answer = await pool
          .request({
            method: 'POST',
            path: writeNote.path,
            headers: { authorization: `Bearer ${tokenFor()}`, 'content-type': 'application/json' },
            body: JSON.stringify({ text: 'under load', pauseMs: 20 }),
          })
          .then(({ statusCode, body }) => body.dump().then(() => statusCode))
          .catch((error: Error) => error.message);
        outcomes.push(answer);
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, caller));
    await until(async () => outcomes.length > 40);
    // As the gateway does: whoever hears of the withdrawal sends nothing new.
    withdrawn = true;
    await stopping.running.stop();
    await load;
    await pool.close();
    expect(new Set(outcomes)).toEqual(new Set([201]));
    expect(await stopping.rows('note')).toHaveLength(outcomes.length);
    await expect(fetch(`${stopping.url}/health`)).rejects.toThrow();
    await stopping.stop();
  });
});

async function sleeping(): Promise<number> {
  const sql = `select count(*)::int as n from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'
               and datname = current_database()`;
  const [row] = await service.database.sql<{ n: number }>(sql);
  return row?.n ?? 0;
}
