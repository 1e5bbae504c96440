import { type EventDefinition, event, newId } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import { sessions } from '@marimo/contracts/users';
import { audit } from '@marimo/contracts/workers';
import { testUserId, tokenFor, useService } from '@marimo/testing';
import { z } from 'zod';
import { workersService } from '../../service.ts';

const workers = useService(workersService(['audit']));

/** New organisations for each test: a chain belongs to one. */
let tenantId: string;
let otherTenant: string;
beforeEach(() => {
  tenantId = newId();
  otherTenant = newId();
});
const ours = () => ({ as: tokenFor({ tenantId }) });
const theirs = () => ({ as: tokenFor({ tenantId: otherTenant }) });

const post = (data: unknown, given: object = {}, of: EventDefinition = journals.created) =>
  workers.deliver(event(of.type, z.json()), { data: data as never, actorId: testUserId, tenantId, ...given });
const verify = async (given = ours()) => (await workers.call(audit.verify, {}, given)).body;
const records = async (query: Record<string, string> = {}) =>
  (await workers.call(audit.list, { query }, ours())).body.items;
const threeEvents = async () => {
  for (const code of ['1.00', '2.00', '3.00']) await post({ code });
};

describe('the audit', () => {
  it('keeps one record for each event, chained to the one before', async () => {
    await threeEvents();
    const [third, second, first] = await records();
    expect(first).toMatchObject({
      sequence: 1,
      type: journals.created.type,
      source: '/services/accounting',
      actorId: testUserId,
      data: { code: '1.00' },
      previousHash: '0'.repeat(64),
    });
    expect(second).toMatchObject({ sequence: 2, previousHash: first?.hash });
    expect(third).toMatchObject({ sequence: 3, previousHash: second?.hash });
    expect(await verify()).toEqual({ valid: true, records: 3, head: { sequence: 3, hash: third?.hash } });
  });

  it('keeps one record of an event that is delivered twice', async () => {
    const id = newId();
    await post({}, { id });
    await post({}, { id });
    expect((await verify()).records).toBe(1);
  });

  it('has a chain for each organisation, and shows each only its own', async () => {
    await threeEvents();
    await post({ name: 'theirs' }, { tenantId: otherTenant });
    expect(await verify()).toMatchObject({ valid: true, records: 3 });
    expect(await verify(theirs())).toMatchObject({ valid: true, records: 1 });
    expect((await records()).filter(({ data }) => JSON.stringify(data).includes('theirs'))).toEqual([]);
  });

  it.each(['0000-01-01T00:00:00Z', `2000-01-01T00:00:00.${'1'.repeat(200)}Z`, '9999-12-31T23:59:59Z'])(
    'can be asked for what happened since and until %s',
    async (instant) => {
      await post({});
      const isAhead = instant.startsWith('9999');
      expect(await records({ from: instant })).toHaveLength(isAhead ? 0 : 1);
      expect(await records({ to: instant })).toHaveLength(isAhead ? 1 : 0);
    },
  );

  it('is found by instants with any offset', async () => {
    await post({}, { time: '2026-11-30T21:00:00.000Z' });
    expect(await records({ from: '2026-12-01T00:00:00+03:00' })).toHaveLength(1);
    expect(await records({ to: '2026-12-01T00:00:00+03:00' })).toEqual([]);
  });

  it('keeps one unbroken chain when events come all at once', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, n) => post({ code: String(n) })));
    expect(await verify()).toMatchObject({ valid: true, records: 60, head: { sequence: 60 } });
  });

  it('is whole, and empty, before anything has happened', async () => {
    expect(await verify()).toEqual({ valid: true, records: 0, head: { sequence: 0, hash: '0'.repeat(64) } });
  });

  it('names people by id only, and organisations by name', async () => {
    const place = { language: 'en', timeZone: 'UTC' };
    const organisation = { id: tenantId, name: 'Pine & Co', baseCurrency: 'EUR', state: 'active', ...place };
    const admin = { id: newId(), name: 'Anna', email: 'anna@example.com', emailVerified: false, ...place };
    await post({ organisation, admin }, {}, sessions.organisationRegistered);
    expect((await records())[0]?.data).toEqual({
      organisation,
      admin: { ...admin, name: '[personal data]', email: '[personal data]' },
    });
    expect((await verify()).valid).toBe(true);
  });

  it('leaves out what a person calls their device, without a name or an address beside it', async () => {
    await post({ userId: testUserId, deviceName: "Anna's laptop" }, {}, sessions.named);
    expect((await records())[0]?.data).toEqual({ userId: testUserId, deviceName: '[personal data]' });
  });

  it('keeps no field and no event data that its contracts do not declare', async () => {
    const partnerAdded = event('partners.partner-added.v1', z.json());
    await post({ phone: '+7 900 000-00-00' }, {}, partnerAdded);
    await post({ code: 'GJ', phone: '+7 900 000-00-00' });
    expect((await records()).map(({ type, data }) => [type, data])).toEqual([
      [journals.created.type, { code: 'GJ', phone: '[not declared]' }],
      [partnerAdded.type, '[not declared]'],
    ]);
    expect((await verify()).valid).toBe(true);
  });

  it('keeps any text as it was', async () => {
    const odd = { name: 'nul \u0000, line\u2028, «ё», 😀', code: '\\"' };
    await post(odd);
    expect((await records())[0]?.data).toEqual(odd);
    expect((await verify()).valid).toBe(true);
  });

  it('is found by type, subject, actor and time, page by page', async () => {
    const subject = newId();
    await threeEvents();
    await post({ code: 'wanted 1' }, { subject });
    await post({ code: 'wanted 2' }, { subject, actorId: undefined });
    expect(await records({ subject })).toHaveLength(2);
    expect(await records({ subject, actor: testUserId })).toHaveLength(1);
    expect(await records({ type: 'users.session-started.v1' })).toEqual([]);
    expect(await records({ from: '2100-01-01T00:00:00Z' })).toEqual([]);
    expect(await records({ to: '2100-01-01T00:00:00Z', type: journals.created.type })).toHaveLength(5);

    const page = (after?: string) => workers.call(audit.list, { query: { limit: 2, after } }, ours());
    const first = await page();
    const second = await page(first.body.next ?? '');
    const third = await page(second.body.next ?? '');
    const pages = [first, second, third].map(({ body }) => body.items.map(({ sequence }) => sequence));
    expect(pages).toEqual([[5, 4], [3, 2], [1]]);
    expect(third.body.next).toBeNull();
  });

  it('is closed to who has no permission', async () => {
    const answer = await workers.call(audit.verify, {}, { as: tokenFor({ roles: ['accountant'] }) });
    expect(answer.status).toBe(403);
  });
});

/** As somebody who has taken over the database: rights and triggers out of the way. */
const asOwner = (sql: string) =>
  workers.database.sql(
    `set local session_replication_role = replica; ${sql.replaceAll('TENANT', `'${tenantId}'`).replaceAll('OTHER', `'${otherTenant}'`)}`,
  );

describe('tampering with the audit is found', () => {
  beforeAll(() =>
    workers.database.sql('alter table audit_record drop constraint audit_record_sequence_check'),
  );
  beforeEach(async () => {
    for (let n = 1; n <= 5; n += 1) await post({ code: String(n) });
    await post({ name: 'theirs' }, { tenantId: otherTenant });
  });

  const setHash = (sequence: number, previous: string) => `
    update audit_record r set previous_hash = ${previous},
           hash = sha256(${previous} || convert_to(
             '36:' || r.tenant_id || ',' || '36:' || event_id || ',' ||
             octet_length(type) || ':' || type || ',' || octet_length(source) || ':' || source || ',' ||
             octet_length(subject) || ':' || subject || ',' || '36:' || actor_id || ',' ||
             octet_length(coalesce(request_id, '')) || ':' || coalesce(request_id, '') || ',' ||
             '26:' || to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US') || ',' ||
             octet_length(data) || ':' || data || ',', 'UTF8'))
     where tenant_id = TENANT and sequence = ${sequence};`;
  const hashAt = (sequence: number) =>
    `(select hash from audit_record p where p.tenant_id = TENANT and p.sequence = ${sequence})`;
  const set = (change: string, sequence = 3) =>
    `update audit_record set ${change} where tenant_id = TENANT and sequence = ${sequence};`;

  it.each([
    ['an edited content', set(`data = '{"n":9}'`), 3, 'edited'],
    ['an edited type', set(`type = 'accounting.something-else.v1'`), 3, 'edited'],
    ['an edited actor', set('actor_id = gen_random_uuid()'), 3, 'edited'],
    ['an actor taken away', set('actor_id = null'), 3, 'edited'],
    ['an edited time', set(`occurred_at = occurred_at - interval '1 day'`), 3, 'edited'],
    ['an edited subject', set(`subject = 'x'`), 3, 'edited'],
    [
      'text moved from one field to the next',
      set(`type = type || left(source, 1), source = substr(source, 2)`),
      3,
      'edited',
    ],
    ['an edit with its hash made right', set(`data = '{"n":9}'`) + setHash(3, hashAt(2)), 4, 'out-of-place'],
    [
      'an edited last record with its hash made right',
      set(`data = '{"n":9}'`, 5) + setHash(5, hashAt(4)),
      5,
      'edited',
    ],
    ['a deleted record', 'delete from audit_record where tenant_id = TENANT and sequence = 3', 3, 'missing'],
    [
      'a deleted record, with every later hash made right, and the head',
      `delete from audit_record where tenant_id = TENANT and sequence = 3;
       ${setHash(4, hashAt(2))} ${setHash(5, hashAt(4))}
       update audit_head set hash = ${hashAt(5)} where tenant_id = TENANT`,
      3,
      'missing',
    ],
    [
      'a deleted first record',
      'delete from audit_record where tenant_id = TENANT and sequence = 1',
      1,
      'missing',
    ],
    [
      'two records that changed places',
      `${set('sequence = 100', 2)} ${set('sequence = 2', 3)} ${set('sequence = 3', 100)}`,
      2,
      'out-of-place',
    ],
    [
      'an inserted record, with its hash made right and the rest moved up',
      `update audit_record set sequence = -sequence where tenant_id = TENANT and sequence >= 3;
       update audit_record set sequence = 1 - sequence where tenant_id = TENANT and sequence < 0;
       insert into audit_record
       select tenant_id, 3, gen_random_uuid(), type, source, subject, actor_id, request_id, occurred_at, data,
              previous_hash, hash from audit_record where tenant_id = TENANT and sequence = 2;
       ${setHash(3, hashAt(2))}`,
      4,
      'out-of-place',
    ],
    ['a cut tail', 'delete from audit_record where tenant_id = TENANT and sequence >= 4', 4, 'tail-cut'],
    ['everything taken away', 'delete from audit_record where tenant_id = TENANT', 1, 'tail-cut'],
    [
      'a record added at the end, with its hash made right',
      `insert into audit_record
       select tenant_id, 6, gen_random_uuid(), type, source, subject, actor_id, request_id, occurred_at, data,
              previous_hash, hash from audit_record where tenant_id = TENANT and sequence = 5;
       ${setHash(6, hashAt(5))}`,
      6,
      'tail-added',
    ],
    ['a head turned back', `delete from audit_head where tenant_id = TENANT`, 1, 'tail-added'],
    [
      'a record put in from another organisation',
      `delete from audit_record where tenant_id = TENANT and sequence = 1;
       update audit_record set tenant_id = TENANT where tenant_id = OTHER`,
      1,
      'edited',
    ],
  ])('%s', async (_, tampering, sequence, problem) => {
    expect((await verify()).valid).toBe(true);
    await asOwner(tampering);
    expect(await verify()).toMatchObject({ valid: false, firstProblem: { sequence, problem } });
  });

  it('and a whole chain is not suspected', async () => {
    await asOwner(setHash(1, `decode('${'00'.repeat(32)}', 'hex')`)); // the same as it was
    expect((await verify()).valid).toBe(true);
  });
});

describe('the database itself', () => {
  beforeEach(threeEvents);

  it.each(['update audit_record set type = type', 'delete from audit_record', 'delete from audit_head'])(
    'gives the service no right to: %s',
    async (sql) => {
      const change = workers.database.database.inTenant(tenantId, (tx) => tx.run(sql));
      await expect(change).rejects.toThrow(/permission denied/);
    },
  );

  it.each([
    ['back', 'sequence = sequence - 1'],
    ['to where it is', 'sequence = sequence'],
    ['beyond the last record', 'sequence = sequence + 1, previous_hash = hash'],
    ['to another hash', 'sequence = sequence + 1'],
  ])('does not let the service move the head of a chain %s', async (_, change) => {
    await threeEvents();
    const moved = workers.database.database.inTenant(tenantId, (tx) =>
      tx.run(`update audit_head set ${change}`),
    );
    await expect(moved).rejects.toThrow(/only moves on to records that follow it/);
    expect((await verify()).valid).toBe(true);
  });

  it('does not let the service move the head over records that do not follow it', async () => {
    await threeEvents();
    const added = workers.database.database.inTenant(tenantId, async (tx) => {
      await tx.run(
        `insert into audit_record
         select tenant_id, sequence + 1, gen_random_uuid(), type, source, subject, actor_id, request_id, occurred_at,
                data, previous_hash, hash from audit_record order by sequence desc limit 1`,
      );
      await tx.run('update audit_head set sequence = sequence + 1');
    });
    await expect(added).rejects.toThrow(/only moves on to records that follow it/);
  });

  it.each([
    'update audit_record set type = type',
    'delete from audit_record',
    'truncate audit_record',
    'delete from audit_head',
  ])('stops also its administrator, by mistake: %s', async (sql) => {
    await expect(workers.database.sql(sql)).rejects.toThrow(/only added to/);
  });
});
