import { FileRefused } from '@marimo/contracts';
import { useDatabase } from '@marimo/testing/database';
import { corpus, eicar, type Sample } from '../test/corpus.ts';
import { filesOn, makeStage, type Stage, scannerFor, schema } from '../test/stage.ts';
import { zipOf } from '../test/zip-of.ts';
import { contentDisposition, dispositionOf } from './content-disposition.ts';

const db = useDatabase(schema);
let stage: Stage;
beforeAll(async () => {
  stage = await makeStage();
});
afterAll(() => stage.close());

const shown = ['application/pdf', 'image/gif', 'image/jpeg', 'image/png', 'image/webp', 'text/plain'];
const refused = corpus.filter(({ becomes }) => becomes === 'program');
const kept = corpus.filter(({ becomes }) => becomes !== 'program');
const titled = (samples: readonly Sample[]) => samples.map((sample) => [sample.what, sample] as const);

it('has forty dangerous files and more', () => expect(corpus.length).toBeGreaterThanOrEqual(40));

describe('a file is known by its content alone', () => {
  it.each(titled(kept))('%s', async (_, { name, content, becomes, kept: keptName = name }) => {
    const file = await filesOn(db, stage.store).receive(content, { name });
    expect(file).toMatchObject({ contentType: becomes, name: keptName, sizeBytes: content.length });
  });

  it('also when it comes one byte at a time', async () => {
    const { files, sender } = filesOn(db, stage.store);
    for (const { name, content, becomes } of kept.filter((each) => each.content.length < 1_000)) {
      const bytes = (async function* () {
        for (const byte of content) yield Buffer.from([byte]);
      })();
      const file = await files.receive(sender, bytes, { name, limitBytes: 1_000_000 });
      expect([name, file.contentType]).toEqual([name, becomes]);
    }
  });
});

describe('a program is refused, by its name or by its content, and nothing of it is left', () => {
  it.each(titled(refused))('%s', async (_, { name, content }) => {
    const before = await stage.leftOnDisk();
    const receiving = filesOn(db, stage.store).receive(content, { name });
    await expect(receiving).rejects.toThrow(FileRefused);
    await expect(receiving).rejects.toMatchObject({ facts: { reason: 'program' } });
    expect(await stage.leftOnDisk()).toEqual(before);
  });
});

describe('the quarantine', () => {
  it.each([
    ['as it is', eicar],
    ['in an archive', zipOf({ 'eicar.com': String(eicar) })],
  ])('keeps a virus from its readers, %s, and nothing of it is left', async (_, content) => {
    const before = await stage.leftOnDisk();
    const receiving = filesOn(db, stage.store, scannerFor(eicar)).receive(content);
    await expect(receiving).rejects.toMatchObject({ facts: { reason: 'quarantine' } });
    expect(await stage.leftOnDisk()).toEqual(before);
  });

  it('lets pass what it finds nothing in', async () => {
    const { receive, find } = filesOn(db, stage.store, scannerFor(eicar));
    expect(await find((await receive('harmless')).fileId)).toMatchObject({ name: 'note.txt' });
  });
});

describe('a browser', () => {
  it.each(titled(kept))(
    'saves it, unless it can be shown without running anything: %s',
    (_, { becomes, name, kept: keptName = name }) => {
      expect(dispositionOf('inline', becomes)).toBe(shown.includes(becomes) ? 'inline' : 'attachment');
      expect(dispositionOf('attachment', becomes)).toBe('attachment');
      expect(contentDisposition('attachment', keptName)).toMatch(
        /^attachment; filename="[^"\\\r\n]*"; filename\*=UTF-8''[\w.~%-]*$/,
      );
    },
  );

  it('is told a name in any script, and one of plain letters for old programs', () => {
    expect(contentDisposition('inline', 'Счёт "№5".pdf')).toBe(
      `inline; filename="____ __5_.pdf"; filename*=UTF-8''%D0%A1%D1%87%D1%91%D1%82%20%22%E2%84%965%22.pdf`,
    );
  });
});
