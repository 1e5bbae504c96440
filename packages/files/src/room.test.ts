import { FileRoomUsedUp, newId } from '@marimo/contracts';
import { earlierDatabase, testTenantId } from '@marimo/testing';
import { useDatabase } from '@marimo/testing/database';
import { filesOn, makeStage, type Stage, schema } from '../test/stage.ts';
import { fileMigrations, noQuarantine } from './index.ts';

const db = useDatabase(schema);
let stage: Stage;
beforeEach(async () => {
  stage = await makeStage();
});
afterEach(() => stage.close());

const future = () => new Date(Date.now() + 60_000);
const organisationWith = (limitBytes: number, tenantId = newId()) =>
  filesOn(db, stage.store, noQuarantine, tenantId, limitBytes);
const outcome = (receiving: Promise<unknown>) =>
  receiving.then(
    () => 'kept',
    (error: unknown) => (error instanceof FileRoomUsedUp ? error.facts : error),
  );

describe('the room of an organisation', () => {
  it('takes files to the last byte, and refuses the next one with what is used and what may be', async () => {
    const { receive } = organisationWith(10);
    expect(await outcome(receive('12345678'))).toBe('kept');
    expect(await outcome(receive('123'))).toEqual({ used: 8, limit: 10 });
    expect(await outcome(receive('12'))).toBe('kept');
    expect(await outcome(receive(''))).toEqual({ used: 10, limit: 10 });
    expect(await stage.leftOnDisk()).toHaveLength(2);
  });

  it('refuses a first file that is larger than all of it', async () => {
    const { receive } = organisationWith(10);
    expect(await outcome(receive('12345678901'))).toEqual({ used: 0, limit: 10 });
    expect(await stage.leftOnDisk()).toEqual([]);
  });

  it('is shared rightly by files that arrive at once', async () => {
    const { receive } = organisationWith(10);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcome(receive('123'))));
    expect(outcomes.filter((one) => one === 'kept')).toHaveLength(3);
    expect(outcomes.filter((one) => one !== 'kept')).toEqual(Array(5).fill({ used: 9, limit: 10 }));
    expect(await stage.leftOnDisk()).toHaveLength(3);
  });

  it('is its own: another organisation has as much', async () => {
    const [pine, oak] = [organisationWith(10), organisationWith(10)];
    await pine.receive('1234567890');
    expect(await outcome(oak.receive('1234567890'))).toBe('kept');
  });

  it('is given back by the sweep, once, however many sweep at the same time', async () => {
    const pine = organisationWith(10);
    const oak = organisationWith(10);
    const kept = await pine.receive('1234');
    await pine.attach(kept.fileId, { kind: 'invoice', id: newId() });
    for (const { receive } of [pine, oak]) await receive('123456');
    await Promise.all([pine, oak, pine].map(({ sweepFiles }) => sweepFiles(future())));
    expect(await outcome(pine.receive('1234567'))).toEqual({ used: 4, limit: 10 });
    expect(await outcome(oak.receive('1234567890'))).toBe('kept');
  });
});

describe('the files of an organisation that is closed', () => {
  it('are gone with the next sweep, whatever refers to them, and those of another stay', async () => {
    const [pine, oak] = [organisationWith(100), organisationWith(100)];
    for (const { receive, attach } of [pine, oak]) {
      await attach((await receive('an invoice')).fileId, { kind: 'invoice', id: newId() });
      await receive('a draft');
    }
    await pine.inTenant((tx) => pine.files.abandonAll(tx));
    await pine.sweepFiles(new Date(Date.now() - 86_400_000));
    const owners = await db.rows<{ tenant_id: string }>('file');
    const ofBoth = owners.filter(({ tenant_id }) =>
      [pine, oak].some(({ sender }) => sender.tenantId === tenant_id),
    );
    expect(ofBoth.map(({ tenant_id }) => tenant_id)).toEqual(Array(2).fill(oak.sender.tenantId));
    expect(await stage.leftOnDisk()).toHaveLength(2);
  });
});

it('files from the time when nobody counted them count', async () => {
  const old = await earlierDatabase('files', fileMigrations, '0001');
  for (const sizeBytes of [7, 5]) {
    await old.sql(
      `insert into file (tenant_id, file_id, name, content_type, size_bytes, sha256)
       values ($1, gen_random_uuid(), 'a', 'text/plain', $2, sha256(''))`,
      [testTenantId, sizeBytes],
    );
  }
  await old.bringUpToDate();
  expect(await old.rows('file_usage')).toEqual([{ tenant_id: testTenantId, used_bytes: 12n }]);
  await old.drop();
});
