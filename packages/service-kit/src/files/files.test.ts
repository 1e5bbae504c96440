import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  Absent,
  BodyTooLarge,
  FileLinkRefused,
  FileRefused,
  Forbidden,
  filesOf,
  MalformedRequest,
  newId,
  permission,
} from '@marimo/contracts';
import { organisations } from '@marimo/contracts/users';
import { createFileLinks, folderStore } from '@marimo/files';
import { testClock, testTenantId, tokenFor, useService } from '@marimo/testing';
import { until } from '@marimo/testing/outside';
import { type Deps, defineService } from '../index.ts';
import { startSweeping } from './sweep.ts';

const limitBytes = 300_000;
const upload = permission('config.file.upload', { en: 'Send files', ru: 'Загружать файлы' });
const read = permission('config.file.read', { en: 'Read files', ru: 'Скачивать файлы' });
const contract = filesOf('config', { upload, read, limitBytes });
const clock = testClock(new Date().toISOString());

let deps: Deps;
const service = useService(
  defineService({
    name: 'config',
    migrations: new URL('../../test/migrations/', import.meta.url),
    files: contract,
    routes: [
      (given) => {
        deps = given;
        return [];
      },
    ],
  }),
  {
    clock: clock.now,
    quarantine: { inspect: async ({ name }) => ({ passes: !name.startsWith('virus') }) },
  },
);

const stranger = { as: tokenFor({ tenantId: newId() }) };
const nobody = { as: tokenFor({ roles: ['user'] }) };
const png = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55', 'hex'),
  Buffer.from('0000000049444154', 'hex'),
]);

const sent = (body: string | Buffer, name = 'note.txt', contentType = 'application/octet-stream') =>
  ({
    input: { query: { name } },
    raw: { raw: { contentType, body: new Uint8Array(Buffer.from(body)) } },
  }) as const;
const send = async (body: string | Buffer, name?: string, contentType?: string) => {
  const { input, raw } = sent(body, name, contentType);
  return (await service.call(contract.upload, input, raw)).body;
};
const linkTo = async (fileId: string, disposition: 'inline' | 'attachment' = 'attachment') =>
  (await service.call(contract.link, { params: { fileId }, body: { disposition } })).body;
const download = (path: string, headers: Record<string, string> = {}) =>
  fetch(service.url + path, { headers });
const problemOf = async (answer: Response) => [
  answer.status,
  ((await answer.json()) as { code: string }).code,
];
const kept = async () => {
  const folder = join(deps.settings.home, 'files');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).length;
};

describe('sending a file', () => {
  it('keeps what is sent, under its name in any script, with the type of its content', async () => {
    const answer = await service.call(
      contract.upload,
      { query: { name: 'Счёт № 5.png' } },
      { raw: { contentType: 'text/html', body: new Uint8Array(png) } },
    );
    const file = answer.body;
    expect(file).toMatchObject({
      name: 'Счёт № 5.png',
      contentType: 'image/png',
      sizeBytes: png.length,
      sha256: createHash('sha256').update(png).digest('hex'),
    });
    expect(answer.headers.get('location')).toBe(`/api/v1/config/files/${file.fileId}`);
    expect((await service.call(contract.get, { params: { fileId: file.fileId } })).body).toEqual(file);
  });

  it('takes any content type, also none, and an empty file', async () => {
    for (const contentType of ['text/plain; charset=windows-1251', 'x/y', '']) {
      expect((await send('text', 'a.txt', contentType)).contentType).toBe('text/plain');
    }
    expect((await send('', 'empty.txt')).sizeBytes).toBe(0);
  });

  it.each([
    ['without a name', {}],
    ['with a name of nothing', { name: '' }],
    ['with a name that ends early for a program in C', { name: 'report.txt\0.pdf' }],
    ['with something unknown', { name: 'a.txt', owner: 'me' }],
  ])('is refused %s', async (_, query) => {
    const { raw } = sent('text');
    const answer = await service.call(contract.upload, { query: query as { name: string } }, raw);
    expect(answer).toBeRefused(MalformedRequest);
  });

  it.each(['virus.txt', 'invoice.pdf.exe'])('is refused for %s, and stores nothing', async (name) => {
    const before = await kept();
    const { input, raw } = sent('text', name);
    await service.refusedStoringNothing(contract.upload, input, FileRefused, raw);
    expect(await kept()).toBe(before);
  });

  it('is refused beyond its limit, told or not, and stores nothing', async () => {
    const before = await kept();
    const { input, raw } = sent(Buffer.alloc(limitBytes + 1));
    await service.refusedStoringNothing(contract.upload, input, BodyTooLarge, raw);
    const chunks = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 4; part += 1) controller.enqueue(Buffer.alloc(limitBytes / 3));
        controller.close();
      },
    });
    const answer = await fetch(`${service.url}${contract.upload.path}?name=a`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenFor()}` },
      body: chunks,
      duplex: 'half',
    });
    expect(await problemOf(answer)).toEqual([413, 'platform.body-too-large']);
    await until(async () => (await kept()) === before);
  });

  it.each([
    ['leads elsewhere', '../../../etc/passwd', 'passwd'],
    ['leads elsewhere on Windows', 'C:\\Windows\\..\\hosts.txt', 'hosts.txt'],
    ['is nothing but a way up', '../..', 'file'],
    ['begins a header of its own', 'a.txt\r\nset-cookie: a=b', 'a.txtset-cookie_ a=b'],
    ['is a device of Windows', 'NUL.txt', '_NUL.txt'],
    ['is a device of Windows, with a space that it drops', 'con .txt', '_con .txt'],
    ['is a device of Windows, which takes ¹ for a digit', 'COM¹.txt', '_COM¹.txt'],
    ['is markup', '<img src=x onerror=alert(1)>.txt', '_img src=x onerror=alert(1)_.txt'],
  ])('keeps no name that %s', async (_, name, kept) => {
    const file = await send('text', name);
    expect(file.name).toBe(kept);
    const answer = await download((await linkTo(file.fileId)).path);
    expect([answer.status, await answer.text(), answer.headers.get('set-cookie')]).toEqual([
      200,
      'text',
      null,
    ]);
  });

  it('is refused for a program whose name reads backwards', async () => {
    const { input, raw } = sent('text', 'invoice\u202efdp.exe');
    await service.refusedStoringNothing(contract.upload, input, FileRefused, raw);
  });

  it('takes the last byte that it may have, and not one more', async () => {
    expect((await send(Buffer.alloc(limitBytes), 'a.bin')).sizeBytes).toBe(limitBytes);
    const { input, raw } = sent(Buffer.alloc(limitBytes + 1), 'a.bin');
    expect(await service.call(contract.upload, input, raw)).toBeRefused(BodyTooLarge);
  });

  it('leaves nothing when the sender hangs up in the middle', async () => {
    const before = { kept: await kept(), rows: await service.rows('file') };
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const head = [
      `POST ${contract.upload.path}?name=a.txt HTTP/1.1`,
      'host: test',
      `authorization: Bearer ${tokenFor()}`,
      'content-length: 200000',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(100_000)}`);
    await until(async () => (await kept()) > before.kept);
    socket.destroy();
    await until(async () => (await kept()) === before.kept);
    expect(await service.rows('file')).toEqual(before.rows);
  });
});

describe('who may', () => {
  it('send and read files is said by the service', async () => {
    const { fileId } = await send('text');
    const { input, raw } = sent('text');
    expect(await service.call(contract.upload, input, { ...raw, ...nobody })).toBeRefused(Forbidden);
    expect(await service.call(contract.get, { params: { fileId } }, nobody)).toBeRefused(Forbidden);
    expect(await service.call(contract.link, { params: { fileId }, body: {} }, nobody)).toBeRefused(
      Forbidden,
    );
  });

  it('not tell a file of another organisation from one that does not exist', async () => {
    for (const fileId of [(await send('text')).fileId, newId()]) {
      expect(await service.call(contract.get, { params: { fileId } }, stranger)).toBeRefused(Absent);
      expect(await service.call(contract.link, { params: { fileId }, body: {} }, stranger)).toBeRefused(
        Absent,
      );
    }
  });
});

describe('downloading by a link', () => {
  it('needs no token, and gives the file to be saved under its name', async () => {
    const { fileId, sha256 } = await send('Привет', 'Привет.txt');
    const answer = await download((await linkTo(fileId)).path);
    expect([answer.status, await answer.text()]).toEqual([200, 'Привет']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `attachment; filename="______.txt"; filename*=UTF-8''${encodeURIComponent('Привет.txt')}`,
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      etag: `"${sha256}"`,
    });
  });

  it('gives a part, and nothing to who has it', async () => {
    const { fileId, sha256 } = await send(randomBytes(200_000), 'a.bin');
    const { path } = await linkTo(fileId);
    const part = await download(path, { range: 'bytes=100000-' });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 100_000]);
    expect((await download(path, { 'if-none-match': `"${sha256}"` })).status).toBe(304);
  });

  it.each([
    ['a picture', png, 'a.png', 'inline'],
    ['a text', 'text', 'a.txt', 'inline'],
    ['a page', '<!doctype html><script>alert(1)</script>', 'a.txt', 'attachment'],
    ['a vector picture', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'a.svg', 'attachment'],
    ['bytes of no known kind', Buffer.from([1, 2, 3]), 'a.png', 'attachment'],
  ])('shows in the browser what can run nothing: %s', async (_, content, name, disposition) => {
    const { fileId } = await send(content, name);
    const answer = await download((await linkTo(fileId, 'inline')).path);
    expect(answer.headers.get('content-disposition')).toMatch(new RegExp(`^${disposition};`));
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('ends after five minutes', async () => {
    const { fileId } = await send('text');
    const { path, endsAt } = await linkTo(fileId);
    expect(Math.abs(endsAt.getTime() - clock.now().getTime() - 5 * 60_000)).toBeLessThanOrEqual(1_000);
    expect((await download(path)).status).toBe(200);
    clock.advance(5 * 60_000);
    expect(await problemOf(await download(path))).toEqual([403, 'platform.file-link-refused']);
  });

  it('is refused with a link that was changed, is of another file, or was signed elsewhere', async () => {
    const [one, other] = [await send('one'), await send('other')];
    const { path } = await linkTo(one.fileId);
    const forged = createFileLinks('a secret of somebody else').sign({
      service: 'config',
      tenantId: testTenantId,
      fileId: one.fileId,
      disposition: 'inline',
      endsAt: new Date(clock.now().getTime() + 60_000),
    });
    const links = [
      path.replace(one.fileId, other.fileId),
      path.replace(/.$/, (sign) => (sign === 'A' ? 'B' : 'A')),
      path.replace(/=.*/, `=${forged}`),
    ];
    for (const link of links) {
      expect(await problemOf(await download(link))).toEqual([403, FileLinkRefused.definition.code]);
    }
    expect((await download(path.replace(/\?.*/, ''))).status).toBe(400);
  });

  it('finds nothing once the file is gone', async () => {
    const { fileId } = await send('text');
    const { path } = await linkTo(fileId);
    await service.database.sql('delete from file where file_id = $1', [fileId]);
    expect(await problemOf(await download(path))).toEqual([404, 'platform.absent']);
  });
});

it('is swept a day later where nothing refers to it, and stays where something does', async () => {
  const [needed, unneeded] = [await send('needed'), await send('not needed')];
  const { database } = service;
  await database.database.inTenant(testTenantId, (tx) =>
    deps.files.attach(tx, needed.fileId, { kind: 'note', id: newId() }),
  );
  const idsAfter = async (hours: number) => {
    const store = folderStore(join(deps.settings.home, 'files'));
    const sweeping = { service: 'config', relay: database.relay, store, log: deps.log };
    const stop = startSweeping(sweeping, () => new Date(Date.now() + hours * 3_600_000));
    await stop(); // once both sweeps have run
    return (await service.rows<{ file_id: string }>('file')).map((row) => row.file_id);
  };
  expect(await idsAfter(23)).toEqual(expect.arrayContaining([needed.fileId, unneeded.fileId]));
  expect(await idsAfter(25)).toEqual([needed.fileId]);
  expect(await kept()).toBe(1);
});

it('is deleted with all others of its organisation, which was closed for good', async () => {
  const oak = newId();
  const { input, raw } = sent('a contract');
  const mine = await send('mine');
  await service.call(contract.upload, input, { ...raw, as: tokenFor({ tenantId: oak }) });
  const closed = { id: oak, name: 'Oak', baseCurrency: 'RUB', language: 'ru', timeZone: 'Europe/Moscow' };
  const state = {
    state: 'closed',
    requireSecondFactor: false,
    strictSeparation: false,
    closesAt: new Date(),
  };
  await service.deliver(organisations.closed, { data: { ...closed, ...state } as never, tenantId: oak });
  const store = folderStore(join(deps.settings.home, 'files'));
  const sweeping = { service: 'config', relay: service.database.relay, store, log: deps.log };
  await startSweeping(sweeping, clock.now)();
  const left = await service.rows<{ tenant_id: string; file_id: string }>('file');
  expect(left.map(({ tenant_id }) => tenant_id)).not.toContain(oak);
  expect(left.map(({ file_id }) => file_id)).toContain(mine.fileId);
});

it('is described with its bytes', async () => {
  const page = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    paths: Record<string, { get: { responses: Record<string, { content: unknown }> } }>;
  };
  const described = page.paths['/api/v1/config/files/{fileId}/content'];
  expect(described?.get.responses['200']?.content).toEqual({
    '*/*': { schema: { type: 'string', format: 'binary' } },
  });
});
