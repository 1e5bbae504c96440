import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type S3Server, startS3Server } from '@marimo/testing/outside';
import { folderStore } from './folder-store.ts';
import { ObjectAbsent, type ObjectStore } from './object-store.ts';
import { s3Store } from './s3-store.ts';

interface Opened {
  readonly store: ObjectStore;
  /** What another process opens the same store with. */
  readonly forProcess: readonly [kind: string, options: unknown];
  close(): Promise<void>;
}

const mebibyte = 1024 * 1024;
const future = () => new Date(Date.now() + 60_000);
const past = () => new Date(Date.now() - 60_000);

/** What the platform relies on, wherever the bytes lie. */
function conformance(open: () => Promise<Opened>): void {
  let opened: Opened;
  let store: ObjectStore;
  let places = 0;
  let place: string; // a prefix that no other test uses
  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  beforeEach(() => {
    places += 1;
    place = `place-${places}/`;
  });
  afterAll(() => opened.close());

  const read = async (key: string, range?: { first: number; last: number }) =>
    buffer(await store.get(key, range));
  const put = (key: string, content: string | Buffer) =>
    store.put(key, Readable.from([Buffer.from(content)]));
  const keysBelow = async (prefix: string) => {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) keys.push(key);
    return keys.sort();
  };

  describe('an object', () => {
    it.each([
      ['empty', 0],
      ['of one byte', 1],
      ['as long as a part of an upload', 8 * mebibyte],
      ['a byte longer than a part', 8 * mebibyte + 1],
      ['of several parts', 17 * mebibyte],
    ])('is given back as it came: %s', async (_, sizeBytes) => {
      const content = patternOf(sizeBytes);
      await store.put(`${place}object`, Readable.from(piecesOf(content)));
      expect(digestOf(await read(`${place}object`))).toBe(digestOf(content));
      const found = await store.stat(`${place}object`);
      expect(found).toMatchObject({ key: `${place}object`, sizeBytes });
      expect(found?.storedAt.getTime()).toBeGreaterThan(past().getTime());
    });

    it('is given in part, both ends included', async () => {
      await put(`${place}object`, '0123456789');
      expect(String(await read(`${place}object`, { first: 0, last: 0 }))).toBe('0');
      expect(String(await read(`${place}object`, { first: 3, last: 5 }))).toBe('345');
      expect(String(await read(`${place}object`, { first: 9, last: 9 }))).toBe('9');
    });

    it('is replaced as a whole', async () => {
      await put(`${place}object`, 'the first, which is longer');
      await put(`${place}object`, 'the second');
      expect(String(await read(`${place}object`))).toBe('the second');
    });

    it('is one of two that are put at once, and never a mixture', async () => {
      const [one, other] = [Buffer.alloc(mebibyte, 'a'), Buffer.alloc(mebibyte, 'b')];
      await Promise.all(
        [one, other].map((each) => store.put(`${place}object`, Readable.from(piecesOf(each)))),
      );
      expect([digestOf(one), digestOf(other)]).toContain(digestOf(await read(`${place}object`)));
    });

    it('is gone once it is deleted, and can be deleted again', async () => {
      await put(`${place}object`, 'content');
      await store.delete(`${place}object`);
      await store.delete(`${place}object`);
      expect(await store.stat(`${place}object`)).toBeUndefined();
      await expect(store.get(`${place}object`)).rejects.toThrow(ObjectAbsent);
    });

    it('is absent where there is only something below it, or nothing', async () => {
      await put(`${place}folder/object`, 'content');
      expect(await store.stat(`${place}folder`)).toBeUndefined();
      expect(await store.stat(`${place}folder/object/below`)).toBeUndefined();
      await expect(store.get(`${place}other`)).rejects.toThrow(ObjectAbsent);
    });

    it('can be left after its first bytes', async () => {
      await put(`${place}object`, patternOf(mebibyte));
      const stream = await store.get(`${place}object`);
      await once(stream, 'readable');
      stream.destroy();
      await once(stream, 'close');
    });

    it.each([
      '',
      '/',
      '../up',
      'a/../b',
      'a//b',
      '/a',
      'a/',
      '.incoming/a',
      'a/.b',
      'a\\b',
      'a b',
      'a%2Fb',
      'ä',
      'a\0',
    ])('cannot be called %j', async (key) => {
      await expect(put(key, 'content')).rejects.toThrow(TypeError);
      await expect(store.get(key)).rejects.toThrow(TypeError);
      await expect(store.stat(key)).rejects.toThrow(TypeError);
      await expect(store.delete(key)).rejects.toThrow(TypeError);
    });
  });

  describe('a list', () => {
    it('has all that is below its prefix, on more pages than one, and nothing beside it', async () => {
      const wanted = ['a/1', 'a/2', 'a/b/3', 'a/b/c/4', 'a/5'].map((key) => place + key);
      for (const key of [...wanted, `${place}ab`, `${place}b/1`]) await put(key, 'content');
      expect(await keysBelow(`${place}a/`)).toEqual(wanted.sort());
      expect(await keysBelow(`${place}nothing/`)).toEqual([]);
    });

    it('tells the size of each', async () => {
      await put(`${place}object`, 'content');
      for await (const { sizeBytes } of store.list(place)) expect(sizeBytes).toBe(7);
    });
  });

  describe('a put that does not come to its end', () => {
    it.each([
      ['in its first bytes', 1],
      ['after some parts', 17],
    ])('fails as its content does, %s, and leaves nothing', async (_, mebibytes) => {
      const broken = new Error('the sender hung up');
      await expect(store.put(`${place}object`, endingWith(broken, mebibytes))).rejects.toBe(broken);
      expect(await keysBelow(place)).toEqual([]);
      expect(await store.stat(`${place}object`)).toBeUndefined();
      expect(await store.deleteUnfinished(future())).toBe(0);
    });

    it('leaves what was there before', async () => {
      await put(`${place}object`, 'the first');
      await expect(store.put(`${place}object`, endingWith(new Error('broken'), 9))).rejects.toThrow('broken');
      expect(String(await read(`${place}object`))).toBe('the first');
    });

    it.each([1, 9])(
      'ends with its signal, also while a sender of %i MiB says nothing more',
      async (mebibytes) => {
        const { signal, abort } = abortable();
        const putting = store.put(`${place}object`, hangingAfter(mebibytes, abort), signal);
        await expect(putting).rejects.toThrow('enough');
        expect(await keysBelow(place)).toEqual([]);
        expect(await store.deleteUnfinished(future())).toBe(0);
      },
    );

    it('does not begin where its signal has fired before', async () => {
      const { signal, abort } = abortable();
      abort();
      await expect(store.put(`${place}object`, endingWith(new Error(), 1), signal)).rejects.toThrow('enough');
      expect(await keysBelow(place)).toEqual([]);
    });

    it('leaves no object when its process is killed, and what it left is removed once it is old', async () => {
      const key = `${place}object`;
      await killInTheMiddle(opened.forProcess, key);
      expect(await store.stat(key)).toBeUndefined();
      expect(await keysBelow(place)).toEqual([]);
      expect(await store.deleteUnfinished(past())).toBe(0);
      expect(await store.deleteUnfinished(future())).toBe(1);
      expect(await store.deleteUnfinished(future())).toBe(0);
    });
  });
}

describe('in a folder', () => {
  conformance(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'marimo-files-'));
    const store = folderStore(join(folder, 'not', 'there', 'yet'));
    const close = () => rm(folder, { recursive: true, force: true });
    return { store, forProcess: ['folder', join(folder, 'not', 'there', 'yet')], close };
  });
});

describe('in S3', () => {
  conformance(async () => {
    const server: S3Server = await startS3Server({ pageEntries: 2 });
    const { endpoint, bucket, accessKey, secretKey } = server;
    const options = { endpoint, bucket, accessKey, secretKey };
    const store = s3Store(options);
    const close = async () => {
      await store.close();
      await server.stop();
    };
    return { store, forProcess: ['s3', options], close };
  });
});

/** Bytes in which each place differs from its neighbours. */
function patternOf(sizeBytes: number): Buffer {
  const period = Buffer.from(Array.from({ length: 251 }, (_, place) => place));
  return sizeBytes === 0 ? Buffer.alloc(0) : Buffer.alloc(sizeBytes, period);
}

function* piecesOf(content: Buffer, bytes = 100_003): Generator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function* endingWith(error: Error, mebibytes: number): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < mebibytes; sent += 1) yield Buffer.alloc(mebibyte);
  throw error;
}

async function* hangingAfter(mebibytes: number, then: () => void): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < mebibytes; sent += 1) yield Buffer.alloc(mebibyte);
  setImmediate(then);
  await new Promise(() => {});
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(new Error('enough')) };
}

async function killInTheMiddle([kind, options]: Opened['forProcess'], key: string): Promise<void> {
  const program = fileURLToPath(new URL('../../test/put-for-ever.ts', import.meta.url));
  const child = spawn(process.execPath, [program, kind, JSON.stringify(options), key], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}
