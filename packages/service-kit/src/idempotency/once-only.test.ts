import { IdempotencyKeyReused, MalformedRequest, newId, RequestStillRunning } from '@marimo/contracts';
import { createLog } from '@marimo/observability';
import { testTenantId, tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { copyNotes, forgetReply, NoteTooRude, notes, writeNote } from '../../test/notes-service.ts';
import { forgetOldAnswers } from './forget.ts';

const service = useService(notes);
beforeEach(() => service.database.sql('truncate note, idempotency_key'));

const write = (text: string, idempotencyKey?: string, as = tokenFor()) =>
  service.call(
    writeNote,
    { body: { text }, ...(idempotencyKey !== undefined && { idempotencyKey }) },
    { as },
  );
const noteTexts = async () => (await service.rows<{ text: string }>('note')).map(({ text }) => text);

describe('a request with an Idempotency-Key', () => {
  it('takes effect once and is answered the same each time', async () => {
    const key = newId();
    const first = await write('once', key);
    const again = await write('once', key);
    expect(first.status).toBe(201);
    expect([again.status, again.json]).toEqual([201, first.json]);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await noteTexts()).toEqual(['once']);
  });

  it('takes effect once when ten come at the same moment; who is too early asks again and gets the same answer', async () => {
    const key = newId();
    const send = async (): Promise<unknown> => {
      for (;;) {
        const answer = await write('together', key);
        if (answer.problem === undefined) return answer.json;
        expect(answer).toBeRefused(RequestStillRunning);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
    };
    const answers = await Promise.all(Array.from({ length: 10 }, send));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await noteTexts()).toEqual(['together']);
  });

  it('is told to wait while the first one is still running', async () => {
    const key = newId();
    const input = { body: { text: 'slow', pauseMs: 1_000 }, idempotencyKey: key };
    const first = service.call(writeNote, input);
    await until(async () => (await lockCount()) > 0);
    expect(await service.call(writeNote, input)).toBeRefused(RequestStillRunning);
    expect((await first).status).toBe(201);
    expect((await service.call(writeNote, input)).json).toEqual((await first).json);
  });

  it('is refused with other content, and has no effect', async () => {
    const key = newId();
    await write('one', key);
    expect(await write('another', key)).toBeRefused(IdempotencyKeyReused);
    expect(await noteTexts()).toEqual(['one']);
  });

  it('is the same content in whatever order the fields come', async () => {
    const send = (body: string) =>
      service.call(
        writeNote,
        { body: { text: '' }, idempotencyKey: 'field-order' },
        { raw: { contentType: 'application/json', body } },
      );
    const first = await send('{"text": "a", "extra": {"x": 1, "y": 2}}');
    const again = await send('{"extra": {"y": 2, "x": 1}, "text": "a"}');
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('keeps nothing when it is refused, so it can be sent again', async () => {
    const key = newId();
    expect(await write('damn', key)).toBeRefused(NoteTooRude, { word: 'damn' });
    expect(await service.rows('idempotency_key')).toEqual([]);
    expect(await noteTexts()).toEqual([]);
    expect((await write('mild', key)).status).toBe(201);
  });

  it('keeps nothing when its transaction dies with the connection, so the repeat does the work', async () => {
    const key = newId();
    const input = { body: { text: 'killed', pauseMs: 500 }, idempotencyKey: key };
    const first = service.call(writeNote, input);
    await until(async () => (await lockCount()) > 0);
    await service.database.sql(
      `select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = pg_locks.database
        where locktype = 'advisory' and datname = current_database() and pid <> pg_backend_pid()`,
    );
    expect((await first).status).toBeGreaterThanOrEqual(500);
    expect([await noteTexts(), await service.rows('idempotency_key')]).toEqual([[], []]);
    expect((await service.call(writeNote, input)).status).toBe(201);
    expect(await noteTexts()).toEqual(['killed']);
  });

  it('belongs to its tenant and its user: the same key of somebody else is another request', async () => {
    const otherTenant = tokenFor({ tenantId: newId() });
    const colleague = tokenFor({ userId: newId() });
    const ids = [];
    for (const as of [tokenFor(), otherTenant, colleague])
      ids.push((await write('mine', 'same-key', as)).body.id);
    expect(new Set(ids).size).toBe(3);
  });

  it('keeps its answer beside the tenant it belongs to, where nobody else sees it', async () => {
    await write('private', 'k');
    const other = await service.database.database.inTenant(newId(), (tx) =>
      tx.rows('select * from idempotency_key'),
    );
    const own = await service.database.database.inTenant(testTenantId, (tx) =>
      tx.rows('select * from idempotency_key'),
    );
    expect([other.length, own.length]).toEqual([0, 1]);
  });

  it.each(['', 'a b', 'ключ', 'x'.repeat(256)])('is refused when the key is %j', async (key) => {
    const answer = await fetch(`${service.url}${writeNote.path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenFor()}`,
        'content-type': 'application/json',
        'idempotency-key': Buffer.from(key).toString('latin1'),
      },
      body: '{"text": "a"}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: MalformedRequest.definition.code });
  });
});

describe('without a key, or where repeating does no harm', () => {
  it('keeps nothing', async () => {
    await write('a');
    await write('a');
    await service.call(copyNotes, { idempotencyKey: 'natural' });
    await service.call(copyNotes, { idempotencyKey: 'natural' });
    expect(await service.rows('idempotency_key')).toEqual([]);
    expect((await noteTexts()).length).toBe(8);
  });
});

describe('a handler whose transaction does not give the answer', () => {
  it('fails at once, with or without a key', async () => {
    for (const key of [{}, { idempotencyKey: 'k' }]) {
      expect((await service.call(forgetReply, { body: { text: 'a' }, ...key })).problem?.status).toBe(500);
    }
  });
});

describe('kept answers', () => {
  it('are forgotten after a day, of all tenants at once', async () => {
    await write('old', 'old');
    await write('old of others', 'old', tokenFor({ tenantId: newId() }));
    await service.database.sql(`update idempotency_key set created_at = now() - interval '26 hours'`);
    await write('young', 'young');
    await service.database.sql(
      `update idempotency_key set created_at = now() - interval '24 hours' where key = 'young'`,
    );
    const log = createLog({ service: 'test', level: 'silent' });
    const stop = forgetOldAnswers(service.database.relay, log);
    await until(async () => (await service.rows('idempotency_key')).length === 1);
    await stop();
    expect(await service.rows('idempotency_key')).toEqual([expect.objectContaining({ key: 'young' })]);
  });

  it('show the role that forgets them nothing but their age', async () => {
    const { relay } = service.database;
    await expect(relay.withoutTenant((tx) => tx.rows('select body from idempotency_key'))).rejects.toThrow(
      /denied/,
    );
    await expect(relay.withoutTenant((tx) => tx.rows('select * from note'))).rejects.toThrow(/denied/);
  });
});

async function lockCount(): Promise<number> {
  const [row] = await service.database.sql<{ held: number }>(
    `select count(*)::int as held from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  );
  return row?.held ?? 0;
}
