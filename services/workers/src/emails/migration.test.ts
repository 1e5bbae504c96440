import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLog } from '@marimo/observability';
import { migrate, passwordOf, roleName } from '@marimo/postgres';
import { type TestDatabase, testDatabase, testTenantId } from '@marimo/testing';

const schema = 'workers';
const migrations = new URL('../../migrations/', import.meta.url);

/** As it was when mail was kept whole: the first four files. */
let place: string;
let old: TestDatabase;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'marimo-migrations-'));
  const folder = join(place, 'workers', 'migrations'); // by these names the database knows which files it has
  await mkdir(folder, { recursive: true });
  const first = (await readdir(migrations)).filter((file) => /^000[1-4]_/.test(file));
  for (const file of first) await copyFile(new URL(file, migrations), join(folder, file));
  old = await testDatabase({ schema, folders: [pathToFileURL(folder)] });
});
afterAll(async () => {
  await old?.drop();
  await rm(place, { recursive: true });
});

it('mail from the time when it was kept whole says no more what it said, but for what is still to be sent', async () => {
  for (const state of ['waiting', 'sent', 'given-up']) {
    await old.sql(
      `insert into email (tenant_id, email_id, kind, recipient, recipient_name, subject, text_body, html_body, state,
                          created_at, next_attempt_at, sent_at)
       values ($1, gen_random_uuid(), 'invitation', 'anna@example.com', 'Anna', 'Come', 'link', '<p>link</p>', $2, now(),
               case when $2 = 'waiting' then now() end, case when $2 = 'sent' then now() end)`,
      [testTenantId, state],
    );
  }
  await migrate(old.server, {
    schema,
    folders: [migrations],
    passwords: {
      app: passwordOf(roleName(schema, 'app'), 'testing'),
      relay: passwordOf(roleName(schema, 'relay'), 'testing'),
    },
    log: createLog({ service: 'migrate', level: 'silent' }),
  });
  expect(await old.sql('select state, subject, text_body, html_body from email order by state')).toEqual([
    { state: 'given-up', subject: 'Come', text_body: '', html_body: '' },
    { state: 'sent', subject: 'Come', text_body: '', html_body: '' },
    { state: 'waiting', subject: 'Come', text_body: 'link', html_body: '<p>link</p>' },
  ]);
  const forced = 'select relforcerowsecurity as forced from pg_class where oid = $1::regclass';
  expect(await old.sql(forced, [`${schema}.email`])).toEqual([{ forced: true }]);
});
