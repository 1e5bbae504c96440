import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Absent, FileTooLarge, newId, Unavailable } from '@marimo/contracts';
import { createLog } from '@marimo/observability';
import { DatabaseUnavailable } from '@marimo/postgres';
import { useDatabase } from '@marimo/testing/database';
import { startS3Server, tries } from '@marimo/testing/outside';
import { filesOn, makeStage, type Stage, schema, service } from '../test/stage.ts';
import { createFiles, noQuarantine, type Quarantine, s3Store } from './index.ts';

const db = useDatabase(schema);
let stage: Stage;
beforeEach(async () => {
  stage = await makeStage();
});
afterEach(() => stage.close());

const invoice = () => ({ kind: 'invoice', id: newId() });
const mebibyte = 1024 * 1024;

describe('receiving a file', () => {
  it('keeps it with its name, type, size and hash, and who sent it', async () => {
    const { receive, find, files, sender } = filesOn(db, stage.store);
    const file = await receive('Hello\n', { name: 'Привет.txt' });
    expect(file).toEqual({
      tenantId: sender.tenantId,
      fileId: expect.any(String),
      name: 'Привет.txt',
      contentType: 'text/plain',
      sizeBytes: 6,
      sha256: createHash('sha256').update('Hello\n').digest('hex'),
      createdBy: sender.userId,
      createdAt: expect.any(Date),
    });
    expect(await find(file.fileId)).toEqual(file);
    expect(await text(await files.open(file))).toBe('Hello\n');
    expect(await text(await files.open(file, { first: 1, last: 3 }))).toBe('ell');
  });

  it('refuses one that is longer than it may be, and keeps nothing of it', async () => {
    const { receive } = filesOn(db, stage.store);
    await receive('12345', { limitBytes: 5 });
    await expect(receive('123456', { limitBytes: 5 })).rejects.toThrow(FileTooLarge);
    expect(await stage.leftOnDisk()).toHaveLength(1);
  });

  it('keeps nothing of one whose sender hangs up', async () => {
    const { files, sender } = filesOn(db, stage.store);
    const broken = new Error('the sender hung up');
    const content = Readable.from(
      (async function* () {
        yield Buffer.alloc(mebibyte);
        throw broken;
      })(),
    );
    const claims = { name: 'a.txt', limitBytes: 10 * mebibyte };
    await expect(files.receive(sender, content, claims)).rejects.toBe(broken);
    expect(await stage.leftOnDisk()).toEqual([]);
  });

  it('stops with its signal, also while it is inspected', async () => {
    const stopping = new AbortController();
    const slow: Quarantine = {
      async inspect() {
        stopping.abort(new Error('enough'));
        return { passes: true };
      },
    };
    const { files, sender } = filesOn(db, stage.store, slow);
    const content = Readable.from([Buffer.from('content')]);
    const receiving = files.receive({ ...sender, signal: stopping.signal }, content, {
      name: 'a.txt',
      limitBytes: 100,
    });
    await expect(receiving).rejects.toThrow();
    expect(await stage.leftOnDisk()).toEqual([]);
  });

  it('fails as a whole when the quarantine does', async () => {
    const broken: Quarantine = { inspect: () => Promise.reject(new Error('the scanner is away')) };
    const { receive, lines } = filesOn(db, stage.store, broken);
    await expect(receive('content')).rejects.toThrow(Unavailable);
    expect(await stage.leftOnDisk()).toEqual([]);
    expect(lines).toEqual([expect.objectContaining({ message: 'the file store failed' })]);
  });

  it('leaves to the sweep a file whose commit may have happened', async () => {
    const log = createLog({ service, level: 'silent' });
    const lost = new DatabaseUnavailable({ outcome: 'unknown' });
    const inTenant = jest.fn().mockResolvedValueOnce(0).mockRejectedValue(lost); // looks for room, then commits
    const database = { ...db.database, inTenant };
    const files = createFiles({
      service,
      database,
      store: stage.store,
      quarantine: noQuarantine,
      organisationLimitBytes: 1_000,
      log,
    });
    const content = Readable.from([Buffer.from('content')]);
    await expect(files.receive({ tenantId: newId() }, content, { name: 'a', limitBytes: 9 })).rejects.toBe(
      lost,
    );
    expect(await stage.leftOnDisk()).toHaveLength(1);
  });

  it('says that files cannot be reached while the store is away', async () => {
    const server = await startS3Server();
    const { endpoint, bucket, accessKey, secretKey } = server;
    const store = s3Store({ endpoint, bucket, accessKey, secretKey });
    const { receive, files } = filesOn(db, store);
    const file = await receive('content');
    expect(await text(await files.open(file))).toBe('content');
    await server.stop();
    await expect(receive('more')).rejects.toThrow(Unavailable);
    await expect(files.open(file)).rejects.toThrow(Unavailable);
    await store.close();
  });

  it('holds no more of it in memory than a few chunks', async () => {
    const { files, sender } = filesOn(db, stage.store);
    const mebibytes = tries(128, 1_024);
    let mostHeld = 0;
    const before = heldBytes();
    async function* long(): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < mebibytes; sent += 1) {
        if (sent % 16 === 15) mostHeld = Math.max(mostHeld, heldBytes() - before);
        yield Buffer.alloc(mebibyte, 'x');
      }
    }
    const claims = { name: 'long.txt', limitBytes: mebibytes * mebibyte };
    const file = await files.receive(sender, long(), claims);
    expect(file.sizeBytes).toBe(mebibytes * mebibyte);
    expect(mostHeld).toBeLessThan(32 * mebibyte);
  });
});

/** What is in use, and not what is only waiting to be collected. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}

describe('a file of another organisation', () => {
  it('is as absent as one that does not exist', async () => {
    const [pine, oak] = [filesOn(db, stage.store), filesOn(db, stage.store)];
    const { fileId } = await pine.receive('ours');
    for (const id of [fileId, newId()]) {
      expect(await oak.find(id)).toBeUndefined();
      await expect(oak.attach(id, invoice())).rejects.toThrow(Absent);
    }
  });

  it('is not let go by an owner of the same id elsewhere', async () => {
    const [pine, oak] = [filesOn(db, stage.store), filesOn(db, stage.store)];
    const owner = invoice();
    const { fileId } = await pine.receive('ours');
    await pine.attach(fileId, owner);
    await oak.detach(owner);
    expect(await pine.inTenant((tx) => pine.files.listOf(tx, owner))).toHaveLength(1);
  });
});

describe('what a file belongs to', () => {
  it('has its files, the oldest first, each once', async () => {
    const { receive, attach, files, inTenant } = filesOn(db, stage.store);
    const owner = invoice();
    const sent = [await receive('1'), await receive('2')];
    for (const { fileId } of [...sent, ...sent]) await attach(fileId, owner);
    expect(await inTenant((tx) => files.listOf(tx, owner))).toEqual(sent);
    expect(await inTenant((tx) => files.listOf(tx, invoice()))).toEqual([]);
  });

  it('lets go of one file, or of all', async () => {
    const { receive, attach, detach, files, inTenant } = filesOn(db, stage.store);
    const owner = invoice();
    const sent = [await receive('1'), await receive('2'), await receive('3')];
    for (const { fileId } of sent) await attach(fileId, owner);
    await detach(owner, sent[1]?.fileId);
    expect(await inTenant((tx) => files.listOf(tx, owner))).toEqual([sent[0], sent[2]]);
    await detach(owner);
    expect(await inTenant((tx) => files.listOf(tx, owner))).toEqual([]);
  });

  it('has nothing when the transaction that attached it fails', async () => {
    const { receive, files, inTenant } = filesOn(db, stage.store);
    const owner = invoice();
    const { fileId } = await receive('1');
    const failing = inTenant(async (tx) => {
      await files.attach(tx, fileId, owner);
      throw new Error('the invoice is wrong');
    });
    await expect(failing).rejects.toThrow('the invoice is wrong');
    expect(await inTenant((tx) => files.listOf(tx, owner))).toEqual([]);
  });
});
