import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Absent, newId } from '@marimo/contracts';
import { useDatabase } from '@marimo/testing/database';
import { tries } from '@marimo/testing/outside';
import { filesOn, makeStage, type Stage, schema, service } from '../test/stage.ts';
import { folderStore } from './index.ts';

const db = useDatabase(schema);
let stage: Stage;
beforeEach(async () => {
  stage = await makeStage();
});
afterEach(async () => {
  await db.sql('truncate file_reference, file, file_usage');
  await stage.close();
});

const invoice = () => ({ kind: 'invoice', id: newId() });
const future = () => new Date(Date.now() + 60_000);
const past = () => new Date(Date.now() - 60_000);
/** Until the server has this many transactions that wait for another one. */
const waiting = async (count: number) => {
  for (;;) {
    const [row] = await db.sql<{ waiting: bigint }>(
      "select count(*) as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    if (Number(row?.waiting) >= count) return;
  }
};

describe('the sweep of files', () => {
  it('takes what nobody has ever referred to, once it is old', async () => {
    const { receive, find, sweepFiles } = filesOn(db, stage.store);
    const { fileId } = await receive('nobody needs it');
    await sweepFiles(past());
    expect(await find(fileId)).toBeDefined();
    await sweepFiles(future());
    expect(await find(fileId)).toBeUndefined();
    expect(await stage.leftOnDisk()).toEqual([]);
  });

  it('leaves what something refers to, however old', async () => {
    const { receive, attach, files, sweepFiles } = filesOn(db, stage.store);
    const file = await receive('an attachment');
    await attach(file.fileId, invoice());
    await sweepFiles(future());
    expect(await stage.leftOnDisk()).toEqual([file.fileId]);
    (await files.open(file)).destroy();
  });

  it('takes what its last owner has let go, not earlier, and counts from then', async () => {
    const { receive, attach, detach, find, sweepFiles } = filesOn(db, stage.store);
    const [one, other] = [invoice(), invoice()];
    const { fileId } = await receive('an attachment of two');
    await attach(fileId, one);
    await attach(fileId, other);
    await detach(one);
    await sweepFiles(future());
    expect(await find(fileId)).toBeDefined();
    const beforeTheLast = new Date();
    await detach(other);
    await sweepFiles(beforeTheLast);
    expect(await find(fileId)).toBeDefined();
    await sweepFiles(future());
    expect(await find(fileId)).toBeUndefined();
  });

  it('takes what two owners have let go at once', async () => {
    const { receive, attach, files, inTenant, find, sweepFiles, detach } = filesOn(db, stage.store);
    const [one, other] = [invoice(), invoice()];
    const { fileId } = await receive('an attachment of two');
    await attach(fileId, one);
    await attach(fileId, other);
    let later: Promise<void> = Promise.resolve();
    await inTenant(async (tx) => {
      await files.detach(tx, one);
      later = detach(other);
      await waiting(1);
    });
    await later;
    await sweepFiles(future());
    expect(await find(fileId)).toBeUndefined();
  });

  it('takes more than fits into one transaction, beside another that does the same', async () => {
    const { receive, sweepFiles } = filesOn(db, stage.store);
    const { fileId } = await receive('one of many');
    await db.sql(
      `insert into file (tenant_id, file_id, name, content_type, size_bytes, sha256)
       select tenant_id, gen_random_uuid(), name, content_type, size_bytes, sha256
       from file cross join generate_series(1, 350) where file_id = $1`,
      [fileId],
    );
    await Promise.all([sweepFiles(future()), sweepFiles(future()), sweepFiles(future())]);
    expect(await db.rows('file')).toEqual([]);
    expect(await stage.leftOnDisk()).toEqual([]);
  });

  it('waits for who refers to a file just now, and then leaves it', async () => {
    const { receive, files, inTenant, sweepFiles } = filesOn(db, stage.store);
    const file = await receive('needed at the last moment');
    let sweeping: Promise<void> = Promise.resolve();
    await inTenant(async (tx) => {
      await files.attach(tx, file.fileId, invoice());
      sweeping = sweepFiles(future());
      await waiting(1);
    });
    await sweeping;
    expect(await stage.leftOnDisk()).toEqual([file.fileId]);
  });

  it('never takes a file that was attached, in a race with it', async () => {
    const { receive, attach, find, sweepFiles } = filesOn(db, stage.store);
    const outcomes = new Set<string>();
    for (let tried = 0; tried < tries(10, 200); tried += 1) {
      const { fileId } = await receive('raced for');
      const attaching = attach(fileId, invoice()).then(
        () => 'attached',
        (error: unknown) => (error instanceof Absent ? 'absent' : 'failed'),
      );
      const [outcome] = await Promise.all([attaching, sweepFiles(future()), sweepFiles(future())]);
      outcomes.add(outcome);
      expect([fileId, (await find(fileId)) !== undefined]).toEqual([fileId, outcome === 'attached']);
      expect((await stage.leftOnDisk()).includes(fileId)).toBe(outcome === 'attached');
    }
    expect(outcomes).not.toContain('failed');
  });
});

describe('the sweep of objects', () => {
  const putObject = (key: string) => stage.store.put(key, Readable.from([Buffer.from('x')]));

  it('takes objects that no file has, once they are old, and leaves those of files', async () => {
    const { receive, sweepObjects } = filesOn(db, stage.store);
    const { fileId } = await receive('known');
    const unknown = newId();
    await putObject(`${service}/${newId()}/${unknown}`);
    await sweepObjects(past());
    expect((await stage.leftOnDisk()).sort()).toEqual([fileId, unknown].sort());
    await sweepObjects(future());
    expect(await stage.leftOnDisk()).toEqual([fileId]);
  });

  it('leaves what is of another service or of nobody we know', async () => {
    const { sweepObjects } = filesOn(db, stage.store);
    const others = [`main/${newId()}/${newId()}`, `${service}/readme.txt`, `${service}/${newId()}/a/b`];
    for (const key of others) await putObject(key);
    await sweepObjects(future());
    expect(await stage.leftOnDisk()).toHaveLength(others.length);
  });

  it('takes nothing when it looks like the database of another installation', async () => {
    const { receive, sweepObjects, lines } = filesOn(db, stage.store);
    await receive('known');
    const tenantId = newId();
    for (let made = 0; made < 101; made += 1) await putObject(`${service}/${tenantId}/${newId()}`);
    await sweepObjects(future());
    expect(await stage.leftOnDisk()).toHaveLength(102);
    expect(lines).toEqual([expect.objectContaining({ 'log.level': 'error', unknown: 101, all: 102 })]);
  });

  it('takes what an upload left whose process was killed in the middle', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'marimo-files-'));
    const program = fileURLToPath(new URL('../test/receive-for-ever.ts', import.meta.url));
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const files = async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const { sweepObjects } = filesOn(db, folderStore(folder));
    expect(await files()).toHaveLength(1);
    await sweepObjects(past());
    expect(await files()).toHaveLength(1);
    await sweepObjects(future());
    expect(await files()).toEqual([]);
    expect(await db.rows('file')).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
