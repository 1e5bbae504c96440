import { ActingService, Forbidden, newId, Unauthenticated } from '@marimo/contracts';
import { sessions } from '@marimo/contracts/users';
import { personalRecords } from '@marimo/contracts/workers';
import { type CallOptions, tokenFor, useService } from '@marimo/testing';
import { workersService } from '../../service.ts';

const email = 'anna@example.com';
const personId = newId();
const [oak, pine] = [newId(), newId()];
const workers = useService(workersService(['email', 'notification']), { background: false });

/** One person, who was welcomed in two organisations. */
beforeAll(async () => {
  for (const [id, name] of [
    [oak, 'Oak'],
    [pine, 'Pine'],
  ] as const) {
    const settings = { language: 'en' as const, timeZone: 'UTC' };
    const organisation = { id, name, baseCurrency: 'EUR', state: 'active' as const, ...settings };
    const admin = { id: personId, name: `Anna of ${name}`, email, emailVerified: false, ...settings };
    await workers.deliver(sessions.organisationRegistered, { tenantId: id, data: { organisation, admin } });
  }
});

const ask = (organisationId: string | undefined, options: CallOptions = {}, query: object = { email }) =>
  workers.call(
    personalRecords.getKept,
    { params: { personId }, query, ...(organisationId !== undefined && { organisationId }) },
    options,
  );

it.each([
  ['Oak', oak, 'Pine'],
  ['Pine', pine, 'Oak'],
])('in %s tells users of that organisation alone', async (name, organisationId, other) => {
  const { body } = await ask(organisationId);
  expect([body.emails.length, body.notifications.length]).toEqual([1, 1]);
  expect(JSON.stringify(body)).toContain(`Anna of ${name}`);
  expect(JSON.stringify(body)).not.toContain(other);
});

it('tells nothing in an organisation that does not know the person, or is none', async () => {
  expect((await ask(newId())).body).toEqual({ emails: [], notifications: [] });
});

it('lets nobody choose the organisation beside the token', async () => {
  const answer = await ask(pine, {}, { email, organisationId: oak });
  expect(answer.problem).toMatchObject({ code: 'platform.malformed-request' });
  const headers = { 'x-tenant-id': oak, 'x-marimo-tenant': oak, 'x-marimo-internal': 'a guess' };
  expect((await ask(pine, { headers })).json).toEqual((await ask(pine)).json);
});

it('is nobody but users asking, for an organisation', async () => {
  expect(await ask(undefined)).toBeRefused(Unauthenticated);
  expect(await ask(oak, { as: null })).toBeRefused(Unauthenticated);
  expect(await ask(oak, { as: tokenFor({ tenantId: oak }) })).toBeRefused(Unauthenticated);
  for (const asService of ActingService.options.filter((name) => name !== 'users')) {
    expect(await ask(oak, { asService })).toBeRefused(Forbidden);
  }
});
