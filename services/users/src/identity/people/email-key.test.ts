import { type EarlierDatabase, earlierDatabase } from '@marimo/testing';
import { emailKey } from './email-key.ts';

const tenant = '01920000-0000-7000-8000-00000000000a';
const now = new Date('2026-01-02T03:04:05.678Z');
const idOf = (place: number) => `01920000-0000-7000-8000-0000000000${10 + place}`;
const before = (email: string) => email.normalize('NFC').toLowerCase();

describe('the lookup key of an e-mail', () => {
  it.each([
    ['v@bücher.example', 'v@xn--bcher-kva.example'],
    ['v@XN--BCHER-KVA.example', 'v@xn--bcher-kva.example'],
    ['v@bu\u0308cher.example', 'v@xn--bcher-kva.example'],
    ['v@ｅｘａｍｐｌｅ.com', 'v@example.com'],
    ['Вера@почта.рф', 'вера@xn--80a1acny.xn--p1ai'],
    ['Anna@Example.com', 'anna@example.com'],
    ['v@xn--a.example', 'v@xn--a.example'],
  ])('%s has the key %s', (email, key) => {
    expect(emailKey(email)).toBe(key);
  });
});

describe('migrating e-mails that had a key for each spelling of a domain', () => {
  let old: EarlierDatabase;
  beforeAll(async () => {
    old = await earlierDatabase('users', new URL('../../../migrations/', import.meta.url), '0017');
  });
  afterAll(() => old?.drop());

  const emails = [
    'v@bücher.example',
    'Вера@почта.рф',
    'v@münchen-ost.grün.example',
    'v@例え.テスト',
    'v@example.com',
  ];
  const twice = ['o@grün.example', 'o@xn--grn-ioa.example'];

  it('gives them the present key, and one person keeps a mailbox registered twice', async () => {
    for (const [place, email] of [...emails, ...twice].entries()) {
      await old.sql(
        `insert into person (person_id, email, email_key, name, language, password_hash, last_tenant_id, last_seen_at)
         values ($1, $2, $3, 'Anna', 'ru', 'hash', $4, $5)`,
        [idOf(place), email, before(email), tenant, now],
      );
    }
    await old.sql(
      `insert into organisation (tenant_id, name, base_currency, language, registered_at)
       values ($1, 'Pine', 'RUB', 'ru', $2)`,
      [tenant, now],
    );
    await old.sql(
      `insert into invitation (tenant_id, invitation_id, link_id, email, email_key, roles, language, invited_by,
                               invited_at, mailed_at, expires_at)
       values ($1, $2, $2, $3, $3, '{}', 'ru', $2, $4, $4, $4)`,
      [tenant, idOf(0), emails[0], now],
    );
    await old.sql(
      `insert into mail_link (link_id, purpose, subject_id, tenant_id, email, email_key, name, language, issued_at,
                              expires_at)
       values ($1, 'invitation', $1, $2, $3, $3, '', 'ru', $4, $4)`,
      [idOf(0), tenant, emails[0], now],
    );

    await old.bringUpToDate();

    const keys = await old.sql<{ key: string }>('select email_key as key from person order by person_id');
    expect(keys.map(({ key }) => key)).toEqual([...emails.map(emailKey), ...twice]);
    for (const table of ['invitation', 'mail_link']) {
      expect(await old.sql(`select email_key as key from ${table}`)).toEqual([
        { key: 'v@xn--bcher-kva.example' },
      ]);
    }
  });
});
