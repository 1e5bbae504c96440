import { jobsOf, newId } from '@marimo/contracts';
import type { RecordImportReport } from '@marimo/contracts/records';
import { importsOf } from '@marimo/contracts/records';
import { tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { customFields, shelves, toolService, tools } from '@marimo/testing/records';

const service = useService(toolService);
const jobs = jobsOf('config');
const imports = importsOf('config');

let tenantId: string;
let as: string;
beforeEach(async () => {
  tenantId = newId();
  as = tokenFor({ tenantId });
  await service.database.sql(
    `insert into organisation_facts (tenant_id, name, base_currency, language, time_zone, told_at)
     values ($1, 'ООО Сосна', 'RUB', 'ru', 'Europe/Moscow', now())`,
    [tenantId],
  );
});
const call: typeof service.call = (endpoint, input, options = {}) =>
  service.call(endpoint, input, { as, ...options });

const send = (csv: string, query = {}, endpoint = shelves.importFile) =>
  call(endpoint, { query } as never, { raw: { contentType: 'text/csv', body: csv } });
const shelvesFile = (count: number, name = 'Shelf') =>
  ['code,name', ...Array.from({ length: count }, (_, place) => `S-${place},${name} ${place}`)].join('\n');
const get = async (jobId: string) => (await call(jobs.get, { params: { jobId } })).body;
const ended = (jobId: string) =>
  until(async () => {
    const job = await get(jobId);
    return ['done', 'failed', 'cancelled'].includes(job.state) ? job : undefined;
  }, 60_000);
const stored = async () =>
  (await service.rows<{ tenant_id: string }>('shelf')).filter((row) => row.tenant_id === tenantId).length;

describe('an import of more than ten thousand rows', () => {
  it('becomes a job, which reports what became of each row, and keeps the file as long as the job', async () => {
    const file = `${shelvesFile(10_001)}\nS-1,Again\n,Nameless`;
    const answer = await send(file);
    expect(answer.status).toBe(202);
    const job = await ended((answer.body as { jobId: string }).jobId);
    expect(job).toMatchObject({ state: 'done', done: 10_003, of: 10_003 });
    const report = job?.result as unknown as RecordImportReport;
    expect(report).toMatchObject({ created: 10_001, changed: 0, repeated: 0, refusedTotal: 2 });
    expect(report.refused.map(({ line, key }) => [line, key])).toEqual([
      [10_003, 'S-1'],
      [10_004, null],
    ]);
    expect(await stored()).toBe(10_001);
    const [kept] = (await service.rows<{ owner_id: string }>('file_reference')).slice(-1);
    expect(kept?.owner_id).toBe(job?.jobId);
  });

  it('takes no row twice when it is killed between two pieces and begins again', async () => {
    const { jobId } = (await send(shelvesFile(10_001))).body as { jobId: string };
    await until(async () => (await stored()) > 500);
    await service.database.sql(
      `update job set state = 'queued', attempt = attempt + 1, lease_until = null, due_at = now() where job_id = $1 and state = 'running'`,
      [jobId],
    );
    const job = await ended(jobId);
    const report = job?.result as unknown as RecordImportReport;
    expect(report).toMatchObject({ created: 10_001, changed: 0, repeated: 0, refusedTotal: 0 });
    expect(await stored()).toBe(10_001);
  });

  it('can be cancelled: what was done stays', async () => {
    const { jobId } = (await send(shelvesFile(60_000))).body as { jobId: string };
    await until(async () => (await stored()) > 0);
    await call(jobs.cancel, { params: { jobId } });
    expect((await ended(jobId))?.state).toBe('cancelled');
    expect(await stored()).toBeLessThan(60_000);
  });

  it('leaves nothing where one row spoils all or nothing', async () => {
    const { jobId } = (await send(`${shelvesFile(10_001)}\nS-x,`, { mode: 'all-or-nothing' })).body as {
      jobId: string;
    };
    expect((await ended(jobId))?.result).toMatchObject({ created: 0, refusedTotal: 1 });
    expect(await stored()).toBe(0);
  });
});

describe('a saved mapping', () => {
  const params = { record: 'shelf', name: 'Из 1С' };
  const columns = { Артикул: 'code', 'Полное имя': 'name', Прочее: null };

  it('tells which header stands for which column, and which is not read', async () => {
    const csv = 'Артикул;Полное имя;Прочее\nA-1;Первый;x';
    expect((await send(csv)).problem?.status).toBe(400);
    await call(imports.saveMapping, { params, body: { columns } });
    const { body } = await send(csv, { mapping: 'Из 1С', dryRun: 'true' });
    expect(body).toMatchObject({
      created: 1,
      understood: { columns: [{ field: 'code' }, { field: 'name' }, { column: 'Прочее', field: null }] },
    });
  });

  it('is listed, replaced and deleted, within the organisation', async () => {
    await call(imports.saveMapping, { params, body: { columns } });
    await call(imports.saveMapping, { params, body: { columns: { Код: 'code' } } });
    const list = async (token = as) =>
      (await call(imports.listMappings, { params: { record: 'shelf' } }, { as: token })).body.items;
    expect(await list()).toEqual([{ name: 'Из 1С', columns: { Код: 'code' } }]);
    expect(await list(tokenFor({ tenantId: newId() }))).toEqual([]);
    expect((await call(imports.deleteMapping, { params })).status).toBe(204);
    expect((await call(imports.deleteMapping, { params })).problem?.status).toBe(404);
    expect((await call(imports.listMappings, { params: { record: 'chair' } })).problem?.status).toBe(404);
  });
});

describe('a field of the organisation’s own', () => {
  it('is a column by its label, out and in', async () => {
    const field = {
      recordName: 'tool',
      name: 'colour',
      kind: 'text',
      labelEn: 'Colour',
      labelRu: 'Цвет',
    } as const;
    await call(customFields.create, { body: field });
    await send('Код;Наименование;Вид;Цвет\nA;One;hand;синий\nB;Two;hand;', {}, tools.importFile as never);
    expect((await call(tools.list, { query: {} })).body.items).toMatchObject([
      { custom: { colour: 'синий' } },
      { custom: {} },
    ]);
    const exported = await fetch(`${service.url}${tools.exportFile.path}`, {
      headers: { authorization: `Bearer ${as}` },
    });
    const text = await exported.text();
    expect(text).toContain(';Цвет;');
    const again = await send(text, {}, tools.importFile as never);
    expect(again.body).toMatchObject({ created: 0, changed: 0, repeated: 2 });
  });
});
