import { existsSync, readdirSync } from 'node:fs';
import { contracts } from '@marimo/contracts/all';
import { labelMistakes } from '@marimo/contracts/records';
import { queueMigrations } from '@marimo/messaging';
import { checkCatalogue, globalTables } from '@marimo/postgres';
import { kitMigrations } from '@marimo/service-kit';
import { useDatabase } from '@marimo/testing/database';
import { differencesFromTable } from '@marimo/testing/records';

const services = new URL('../services/', import.meta.url);
const schemas = readdirSync(services)
  .map((name) => ({ schema: name.replaceAll('-', '_'), own: new URL(`${name}/migrations/`, services) }))
  .filter(({ own }) => existsSync(own))
  .map(({ schema, own }) => ({ schema, folders: [...kitMigrations, own] }));

const test = useDatabase({ schema: 'messaging', folders: [queueMigrations], beside: schemas });

/** Functions that run with their owner's rights, each for a reason given in its migration. */
const definers = ['accounting.keep_balances', 'workers.forget_audit'];

/** A table on this list is seen by every tenant's transactions: add one only when it can hold no tenant's secrets. */
const belongToNoTenant = [
  'messaging.dead_letter',
  'messaging.delivery',
  'messaging.queue',
  'users.challenge',
  'users.factor_key',
  'users.known_in',
  'users.mail_link',
  'users.organisation_closing',
  'users.passkey',
  'users.password_key',
  'users.person',
  'users.recovery_code',
  'users.registration',
  'users.revocation',
  'users.second_factor',
  'users.second_factor_standing',
  'users.signing_key',
  'users.totp_secret',
  'users.workplace',
  'workers.email_due',
];

describe('the tables of all services', () => {
  it('were found', () => {
    expect(schemas.map(({ schema }) => schema)).toEqual(
      expect.arrayContaining(['accounting', 'users', 'workers']),
    );
  });

  it('are each protected, by key, policy and right', async () => {
    expect(await checkCatalogue(test.server, { definers })).toEqual([]);
  });

  it('belong to a tenant, but for those on this list', async () => {
    const found = await globalTables(test.server);
    expect(found.map(({ schema, table }) => `${schema}.${table}`)).toEqual(belongToNoTenant);
  });
});

describe('the records of all services', () => {
  const records = Object.values(contracts).flatMap((contract) => contract.records);

  it.each(records.map((record) => [record.fullName, record] as const))(
    '%s agrees with its table',
    async (_, record) => {
      expect(await differencesFromTable(record, record.service, test.sql)).toEqual([]);
    },
  );

  it.each(records.map((record) => [record.fullName, record] as const))(
    '%s has all its labels',
    (_, record) => {
      expect(labelMistakes(record)).toEqual([]);
    },
  );
});
