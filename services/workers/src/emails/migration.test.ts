import { type EarlierDatabase, earlierDatabase, testTenantId } from '@marimo/testing';

const schema = 'workers';

/** As it was when mail was kept whole. */
let old: EarlierDatabase;
beforeAll(async () => {
  old = await earlierDatabase(schema, new URL('../../migrations/', import.meta.url), '0004');
});
afterAll(() => old?.drop());

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
  await old.bringUpToDate();
  expect(await old.sql('select state, subject, text_body, html_body from email order by state')).toEqual([
    { state: 'given-up', subject: 'Come', text_body: '', html_body: '' },
    { state: 'sent', subject: 'Come', text_body: '', html_body: '' },
    { state: 'waiting', subject: 'Come', text_body: 'link', html_body: '<p>link</p>' },
  ]);
  const forced = 'select relforcerowsecurity as forced from pg_class where oid = $1::regclass';
  expect(await old.sql(forced, [`${schema}.email`])).toEqual([{ forced: true }]);
});
