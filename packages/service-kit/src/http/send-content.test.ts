import { once } from 'node:events';
import { connect } from 'node:net';
import { endpoint, FileContent } from '@marimo/contracts';
import { until } from '@marimo/testing/outside';
import { z } from 'zod';
import { type KitUnderTest, kitUnderTest } from '../../test/kit-under-test.ts';
import { handle, reply } from '../route.ts';

const digits = '0123456789';
const mebibyte = 1024 * 1024;
const etag = '"the-version"';

const file = endpoint({
  method: 'GET',
  path: '/api/v1/test/file',
  summary: 'Sends ten digits.',
  access: 'public',
  query: z.strictObject({ what: z.enum(['digits', 'nothing', 'failing', 'absent', 'endless', 'text']) }),
  replies: { 200: FileContent, 206: FileContent, 416: z.null() },
});

/** Of the content that has no end. */
const seen = { givenBytes: 0, isOver: false };
async function* endless(): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      seen.givenBytes += 64 * 1024;
      yield Buffer.alloc(64 * 1024);
    }
  } finally {
    seen.isOver = true;
  }
}

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.from('01234');
  throw new Error('the disk is broken');
}

const contents: Record<string, FileContent> = {
  digits: {
    sizeBytes: 10,
    open: async ({ first, last } = { first: 0, last: 9 }) =>
      (async function* () {
        yield Buffer.from(digits.slice(first, last + 1));
      })(),
  },
  nothing: { sizeBytes: 0, open: () => Promise.reject(new Error('there is nothing to open')) },
  failing: { sizeBytes: 10, open: async () => failing() },
  absent: { sizeBytes: 10, open: () => Promise.reject(new Error('it cannot be opened')) },
  endless: { sizeBytes: 10_000 * mebibyte, open: async () => endless() },
  text: {
    sizeBytes: mebibyte,
    open: async () =>
      (async function* () {
        yield Buffer.alloc(mebibyte, 'text ');
      })(),
  },
};

let kit: KitUnderTest;
beforeAll(async () => {
  const route = handle(file, async ({ query }) =>
    reply(200, contents[query.what] as FileContent, { 'content-type': 'text/plain', etag }),
  );
  kit = await kitUnderTest([route], { headersTimeoutMs: 1_000, requestTimeoutMs: 1_000 });
});
beforeEach(() => {
  seen.givenBytes = 0;
  seen.isOver = false;
});
afterAll(() => kit.stop());

const ask = (what: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${kit.url}${file.path}?what=${what}`, { method, headers });

describe('the bytes of a file', () => {
  it('are sent as they are, with their length', async () => {
    const answer = await ask('digits');
    expect([answer.status, await answer.text()]).toEqual([200, digits]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '10',
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache, no-transform',
      etag,
    });
  });

  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=3-5', '345', 'bytes 3-5/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=-100', digits, 'bytes 0-9/10'],
    ['bytes=8-100', '89', 'bytes 8-9/10'],
  ])('are sent in part: %s', async (range, text, contentRange) => {
    const answer = await ask('digits', { range });
    expect([answer.status, await answer.text()]).toEqual([206, text]);
    expect(answer.headers.get('content-range')).toBe(contentRange);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it.each(['bytes=0-1,4-5', 'bytes=5-3', 'bytes=a-b', 'lines=1-2', 'bytes=-', 'bytes=1'])(
    'are sent as a whole where the range is none that we serve: %s',
    async (range) => {
      const answer = await ask('digits', { range });
      expect([answer.status, await answer.text()]).toEqual([200, digits]);
    },
  );

  it.each([
    ['digits', 'bytes=10-'],
    ['digits', 'bytes=-0'],
    ['nothing', 'bytes=0-'],
  ])('of %s are not sent beyond their end: %s', async (what, range) => {
    const answer = await ask(what, { range });
    expect([answer.status, await answer.text()]).toEqual([416, '']);
    expect(answer.headers.get('content-range')).toBe(`bytes */${what === 'digits' ? 10 : 0}`);
  });

  it('are continued only of the version whose beginning is there', async () => {
    const same = await ask('digits', { range: 'bytes=5-', 'if-range': etag });
    const other = await ask('digits', { range: 'bytes=5-', 'if-range': '"another"' });
    expect([same.status, await same.text()]).toEqual([206, '56789']);
    expect([other.status, await other.text()]).toEqual([200, digits]);
  });

  it('are not sent to who has them, nor to who asks for the head alone', async () => {
    const known = await ask('failing', { 'if-none-match': etag });
    expect([known.status, await known.text()]).toEqual([304, '']);
    const head = await ask('absent', {}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
  });

  it('can be none', async () => {
    const answer = await ask('nothing');
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  it('are not compressed, or a part would not fit the whole', async () => {
    const answer = await ask('text', { 'accept-encoding': 'gzip' });
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.text()).toHaveLength(mebibyte);
  });

  it('are a problem when they cannot be opened, without the headers of a file', async () => {
    const answer = await ask('absent');
    expect([answer.status, answer.headers.get('etag')]).toEqual([500, null]);
    expect(await answer.json()).toMatchObject({ code: 'platform.unknown-failure' });
  });

  it('end too early when they fail in the middle, and that is logged', async () => {
    await expect(ask('failing').then((answer) => answer.text())).rejects.toThrow();
    await until(() => kit.lines.some(({ message }) => message === 'a reply broke off in the middle'));
  });
});

describe('a reader of a long file', () => {
  const request = `GET ${file.path}?what=endless HTTP/1.1\r\nhost: test\r\n\r\n`;

  it('that hangs up ends it at once', async () => {
    const socket = connect(kit.port, '127.0.0.1');
    socket.write(request);
    await once(socket, 'data');
    expect(seen.isOver).toBe(false);
    socket.destroy();
    await until(() => seen.isOver);
  });

  it('that takes nothing is given what fits into the connection, and then cut off', async () => {
    const socket = connect(kit.port, '127.0.0.1');
    socket.pause();
    socket.write(request);
    socket.on('error', () => undefined);
    await until(() => seen.isOver);
    expect(seen.givenBytes).toBeLessThan(64 * mebibyte);
    socket.destroy();
  });
});
