import { event, Forbidden, MalformedRequest, newId, StepUpRequired } from '@marimo/contracts';
import { journals } from '@marimo/contracts/accounting';
import { audit, jobs } from '@marimo/contracts/workers';
import { tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { workersService } from '../../service.ts';

const organisation = { name: 'Pine & Co', baseCurrency: 'RUB', language: 'ru', timeZone: 'Europe/Moscow' };
const workers = useService(workersService(['audit']), {
  client: { call: async () => ({ status: 200, body: { id: newId(), ...organisation } }) as never },
});

let tenantId: string;
beforeEach(() => {
  tenantId = newId();
});
const ours = (holder: object = {}) => ({ as: tokenFor({ tenantId, ...holder }) });

const yearsAgo = (years: number) => new Date(Date.now() - years * 366 * 86_400_000).toISOString();
/** Records of the given ages, in years, in this order. */
async function recordsOfAge(...ages: readonly number[]): Promise<void> {
  for (const [index, age] of ages.entries()) {
    await workers.deliver(event(journals.created.type, z.json()), {
      data: { code: String(index) } as never,
      tenantId,
      time: yearsAgo(age),
    });
  }
}
const keep = (keptMonths: number | null, as = ours()) =>
  workers.call(audit.setRetention, { body: { keptMonths } }, as);
const sequences = async () =>
  (await workers.call(audit.list, { query: {} }, ours())).body.items.map(({ sequence }) => sequence);
const verify = async () => (await workers.call(audit.verify, {}, ours())).body;

/** As the schedule does every night. */
async function night(): Promise<void> {
  await workers.database.sql(`update job_schedule set next_at = now() where tenant_id = $1`, [tenantId]);
  const done = async () => {
    const { items } = (await workers.call(jobs.list, { query: { state: 'done' } }, ours())).body;
    return items.length;
  };
  const before = await done();
  await until(async () => (await done()) > before);
}

describe('how long the audit is kept', () => {
  it('is for ever until the organisation says otherwise, and every night what is older goes', async () => {
    await recordsOfAge(5, 4, 3, 1, 0);
    expect((await workers.call(audit.getRetention, {}, ours())).body).toEqual({ keptMonths: null });
    expect((await keep(24)).body).toEqual({ keptMonths: 24 });
    await night();
    expect(await sequences()).toEqual([5, 4]);
    expect(await verify()).toMatchObject({ valid: true, records: 2, start: { sequence: 3 } });
    await night();
    expect(await sequences()).toEqual([5, 4]);
  });

  it('takes effect at once when asked to, as a job that shows its result', async () => {
    await recordsOfAge(5, 0);
    await keep(24);
    const { jobId } = (await workers.call(audit.applyRetention, {}, ours())).body;
    const look = async () => (await workers.call(jobs.get, { params: { jobId } }, ours())).body;
    await until(async () => (await look()).state === 'done');
    expect((await look()).result).toEqual({ records: 1 });
    expect(await sequences()).toEqual([2]);
  });

  it('goes on after the cut: new records follow, and what is forgotten says so in an event', async () => {
    await recordsOfAge(5, 4);
    await keep(12);
    await night();
    expect(await verify()).toMatchObject({ valid: true, records: 0, head: { sequence: 2 } });
    await recordsOfAge(0);
    expect(await sequences()).toEqual([3]);
    expect((await verify()).valid).toBe(true);
    const { hash, sequence } = (await verify()).start ?? {};
    const events = (await workers.events()).filter(({ tenantid }) => tenantid === tenantId);
    expect(events.find(({ type }) => type === audit.forgotten.type)?.data).toEqual({
      records: 2,
      upTo: sequence,
      hash,
    });
  });

  it('keeps what stands behind a younger record, so that the chain stays whole', async () => {
    await recordsOfAge(5, 0, 5, 0);
    await keep(12);
    await night();
    expect(await sequences()).toEqual([4, 3, 2]);
    expect((await verify()).valid).toBe(true);
  });

  it('is for ever again when the organisation takes it back', async () => {
    await recordsOfAge(5);
    await keep(12);
    await keep(null);
    expect(await workers.database.sql('select from job_schedule where tenant_id = $1', [tenantId])).toEqual(
      [],
    );
    expect(await sequences()).toEqual([1]);
  });

  it.each([0, 11, 1_201, 12.5])('cannot be %d months', async (keptMonths) => {
    expect(await keep(keptMonths)).toBeRefused(MalformedRequest);
  });

  it('is set by an administrator who has just proved who they are', async () => {
    expect(await keep(12, ours({ roles: ['manager'] }))).toBeRefused(Forbidden);
    expect(await keep(12, ours({ isProgram: true }))).toBeRefused(StepUpRequired);
  });
});

describe('deleting at once what is no longer kept', () => {
  const quiet = useService(workersService(['audit']), { background: false });
  const apply = async (as = ours()) => (await quiet.call(audit.applyRetention, {}, as)).body.jobId;
  const become = (jobId: string, change: string) =>
    quiet.database.sql(`update job set ${change} where job_id = $1`, [jobId]);

  it('is one job of the organisation, however often it is asked for at once', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, () => apply()));
    expect(new Set(asked).size).toBe(1);
    const ofAnother = await apply({ as: tokenFor({ tenantId: newId() }) });
    expect(asked).not.toContain(ofAnother);
  });

  it('is another job once that one has ended or is being cancelled', async () => {
    const first = await apply();
    await become(first, `state = 'running', lease_until = now() + interval '1 hour'`);
    expect(await apply()).toBe(first);
    await become(first, 'cancel_asked = true');
    const second = await apply();
    await become(second, `state = 'done', ended_at = now()`);
    const third = await apply();
    expect(new Set([first, second, third]).size).toBe(3);
  });
});

describe('the database', () => {
  const inTenant = (sql: string) => workers.database.database.inTenant(tenantId, (tx) => tx.rows(sql));

  it('forgets nothing of an organisation that has not said so, and nothing that is young', async () => {
    await recordsOfAge(5, 0);
    expect(await inTenant('select * from forget_audit(100)')).toEqual([]);
    await keep(120);
    expect(await inTenant('select * from forget_audit(100)')).toEqual([]);
    expect(await sequences()).toEqual([2, 1]);
  });

  it.each([
    `set_config('workers.forgetting', 'on', true); delete from audit_record`,
    'update audit_start set sequence = 100',
    'delete from audit_start',
  ])('lets the service do nothing else: %s', async (sql) => {
    await recordsOfAge(0);
    const [first = '', second] = sql.split('; ');
    const done = workers.database.database.inTenant(tenantId, async (tx) => {
      await tx.rows(second === undefined ? first : `select ${first}`);
      if (second !== undefined) await tx.run(second);
    });
    await expect(done).rejects.toThrow(/permission denied/);
  });

  it('shows a beginning that was cut off by hand', async () => {
    await recordsOfAge(0, 0, 0);
    await workers.database.sql(
      `set local session_replication_role = replica; delete from audit_record where tenant_id = '${tenantId}' and sequence = 1`,
    );
    expect(await verify()).toMatchObject({ valid: false, firstProblem: { sequence: 1, problem: 'missing' } });
  });
});
