import { Absent, StepUpRequired } from '@marimo/contracts';
import { type identity, secondFactors, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import { mailOf } from '../../../test/mail.ts';
import { password, peopleOf } from '../../../test/organisation-with-people.ts';
import {
  annaUnderTest,
  codeOf,
  type PersonUnderTest,
  personUnderTest,
} from '../../../test/person-with-factors.ts';
import { statusesOf } from '../../../test/race.ts';
import { softwareAuthenticator } from '../../../test/software-authenticator.ts';
import { forgetUnanswered } from './index.ts';

const { clock, present } = annaUnderTest();
const minutes = 60_000;

let users: ServiceUnderTest;
let anna: PersonUnderTest;
beforeEach(() => {
  ({ users, anna } = present());
});

const as = () => ({ as: anna.signedIn.accessToken });
const begin = async (name = 'Telephone') =>
  (await users.call(secondFactors.enrolTotp, { body: { name } }, as())).body;
const confirm = (factorId: string, code: string) =>
  users.call(secondFactors.confirmTotp, { params: { factorId }, body: { code } }, as());
const listed = async () => (await users.call(secondFactors.list, {}, as())).body;
const remove = (factorId: string) => users.call(secondFactors.remove, { params: { factorId } }, as());
const requireSecondFactor = (tenantId: string) =>
  users.database.sql('update organisation set require_second_factor = true where tenant_id = $1', [tenantId]);
const eventsOf = async (type: string) =>
  (await users.events()).filter((each) => each.type === type && each.subject === anna.id);

describe('adding an authenticator app', () => {
  it('shows the secret once, and counts once its first code is confirmed', async () => {
    const { factorId, secret, uri } = await begin();
    expect(uri).toContain(secret);
    expect((await listed()).items).toEqual([]);
    expect((await users.call(sessions.login, { body: { email: anna.email, password } })).status).toBe(200);

    const { body } = await confirm(factorId, codeOf(secret, clock));
    expect(body.factor).toMatchObject({ id: factorId, kind: 'totp', name: 'Telephone', lastUsedAt: null });
    expect(body.recoveryCodes).toHaveLength(10);
    expect(await listed()).toEqual({ items: [body.factor], recoveryCodesLeft: 10 });
    expect((await users.call(sessions.login, { body: { email: anna.email, password } })).status).toBe(202);
    const told = await eventsOf(secondFactors.added.type);
    expect(told).toMatchObject([
      { tenantid: anna.tenantId, actorid: anna.id, data: { factorId, kind: 'totp', name: 'Telephone' } },
    ]);
    expect(await mailOf(users, told[0])).toMatchObject({ recipient: { email: anna.email }, url: null });
    expect(await eventsOf(secondFactors.recoveryCodesRenewed.type)).toHaveLength(1);
    expect(JSON.stringify(await users.events())).not.toContain(secret);
  });

  it('refuses a wrong first code, and accepts the right one afterwards', async () => {
    const { factorId, secret } = await begin();
    const right = codeOf(secret, clock);
    const wrong = ['000000', '111111', '222222', '333333'].find((code) => code !== right) ?? '';
    expect(await confirm(factorId, wrong)).toBeRefused(secondFactors.ProofRefused);
    expect((await listed()).items).toEqual([]);
    expect((await confirm(factorId, right)).status).toBe(200);
  });

  it('can be confirmed again, which changes nothing and shows no recovery codes again', async () => {
    const { factorId, secret } = await begin();
    const first = await confirm(factorId, codeOf(secret, clock));
    const again = await confirm(factorId, codeOf(secret, clock));
    expect(again.body).toEqual({ factor: first.body.factor, recoveryCodes: null });
    expect(await eventsOf(secondFactors.added.type)).toHaveLength(1);
  });

  it('replaces an earlier start when started again; a start expires after a quarter of an hour', async () => {
    const first = await begin();
    const second = await begin();
    expect(await confirm(first.factorId, codeOf(first.secret, clock))).toBeRefused(Absent);
    clock.advance(14 * minutes);
    expect((await confirm(second.factorId, codeOf(second.secret, clock))).status).toBe(200);

    const boris = await personUnderTest(users, clock);
    anna = boris;
    const third = await begin();
    clock.advance(14.9 * minutes);
    anna.signedIn = (await boris.enter()) as typeof anna.signedIn;
    clock.advance(0.2 * minutes);
    expect(await confirm(third.factorId, codeOf(third.secret, clock))).toBeRefused(Absent);
    await forgetUnanswered({ database: users.database.database, clock: clock.now } as never);
    const left = await users.rows<{ factor_id: string }>('second_factor');
    expect(left.map((row) => row.factor_id)).not.toContain(third.factorId);
  });

  it('cannot confirm what another person started', async () => {
    const { factorId, secret } = await begin();
    anna = await personUnderTest(users, clock);
    expect(await confirm(factorId, codeOf(secret, clock))).toBeRefused(Absent);
  });

  it('adds one app when confirmed twice at the same moment', async () => {
    const { factorId, secret } = await begin();
    const answers = await Promise.all([1, 2, 3].map(() => confirm(factorId, codeOf(secret, clock))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.filter(({ body }) => body.recoveryCodes !== null)).toHaveLength(1);
    expect(await eventsOf(secondFactors.added.type)).toHaveLength(1);
    expect((await listed()).recoveryCodesLeft).toBe(10);
  });

  it('stops at five, also with concurrent requests', async () => {
    for (let n = 0; n < 4; n += 1) await anna.addApp(`Telephone ${n}`);
    const last = await begin();
    await anna.addDevice();
    await confirm(last.factorId, codeOf(last.secret, clock));
    const answer = await users.call(secondFactors.enrolTotp, { body: { name: 'Sixth' } }, as());
    expect(answer).toBeRefused(secondFactors.TooManySecondFactors, { most: 5 });
  });

  it.each([
    ['no name', {}],
    ['an empty name', { name: ' ' }],
    ['a name of two lines', { name: 'a\nb' }],
    ['a name without end', { name: 'a'.repeat(201) }],
    ['a number for a name', { name: 7 }],
  ])('refuses %s', async (_, body) => {
    expect((await users.call(secondFactors.enrolTotp, { body: body as { name: string } }, as())).status).toBe(
      400,
    );
  });
});

describe('ending other sessions when adding a second factor', () => {
  it.each([true, false])('is optional: %s', async (endOtherSessions) => {
    const goesOn = async ({ refreshToken }: identity.SignedIn) =>
      (await users.call(sessions.refresh, { body: { refreshToken } })).status === 200;
    const phone = anna.signedIn;
    await anna.enter();
    const { factorId, secret } = await begin();
    const body = { code: codeOf(secret, clock), endOtherSessions };
    await users.call(secondFactors.confirmTotp, { params: { factorId }, body }, as());
    expect([await goesOn(phone), await goesOn(anna.signedIn)]).toEqual([!endOtherSessions, true]);
  });

  it('works for a passkey as well', async () => {
    const { refreshToken } = anna.signedIn;
    await anna.enter();
    const options = (await users.call(secondFactors.offerPasskey, {}, as())).body;
    const passkey = softwareAuthenticator().create(options);
    await users.call(
      secondFactors.addPasskey,
      { body: { name: 'Key', passkey, endOtherSessions: true } },
      as(),
    );
    expect((await users.call(sessions.refresh, { body: { refreshToken } })).status).toBe(401);
    const ended = (await users.events()).filter(({ type }) => type === sessions.ended.type);
    expect(ended.at(-1)?.data).toMatchObject({ userId: anna.id, reason: 'second-factors' });
  });
});

describe('managing a second factor', () => {
  it('allows only its owner to rename it', async () => {
    const { factorId } = await anna.addApp();
    const input = { params: { factorId }, body: { name: 'Old telephone' } };
    expect((await users.call(secondFactors.rename, input, as())).body.name).toBe('Old telephone');
    expect(await eventsOf(secondFactors.renamed.type)).toMatchObject([{ data: { name: 'Old telephone' } }]);
    const boris = await personUnderTest(users, clock);
    const his = { as: boris.signedIn.accessToken };
    expect(await users.call(secondFactors.rename, input, his)).toBeRefused(Absent);
    expect(await users.call(secondFactors.remove, { params: { factorId } }, his)).toBeRefused(Absent);
    expect((await listed()).items).toHaveLength(1);
  });

  it('removes it after a recent proof of identity, and the recovery codes with the last one', async () => {
    const { factorId } = await anna.addApp();
    const device = await anna.addDevice();
    expect((await remove(factorId)).status).toBe(204);
    expect((await listed()).recoveryCodesLeft).toBe(10);
    expect(await remove(factorId)).toBeRefused(Absent);
    expect((await remove(device.factorId)).status).toBe(204);
    expect(await listed()).toEqual({ items: [], recoveryCodesLeft: 0 });
    expect(await eventsOf(secondFactors.removed.type)).toMatchObject([
      { data: { factorId, kind: 'totp' } },
      { data: { factorId: device.factorId, kind: 'passkey' } },
    ]);
    expect((await users.call(sessions.login, { body: { email: anna.email, password } })).status).toBe(200);
  });

  it('requires a recent proof for adding, removing and renewing recovery codes', async () => {
    const { factorId } = await anna.addApp();
    clock.advance(11 * minutes);
    const late = [
      await users.call(secondFactors.enrolTotp, { body: { name: 'Telephone' } }, as()),
      await users.call(secondFactors.offerPasskey, {}, as()),
      await users.call(secondFactors.renewRecoveryCodes, {}, as()),
      await remove(factorId),
    ];
    for (const answer of late) expect(answer).toBeRefused(StepUpRequired);
    expect((await listed()).items).toHaveLength(1);
  });

  it('refuses a challenge that the client made itself', async () => {
    const options = (await users.call(secondFactors.offerPasskey, {}, as())).body;
    const passkey = softwareAuthenticator().create({ ...options, challenge: 'A'.repeat(43) });
    const answer = await users.call(secondFactors.addPasskey, { body: { name: 'Key', passkey } }, as());
    expect(answer.status).toBe(422);
  });
});

describe('in an organisation that requires a second factor', () => {
  it('a person without one signs in without rights, adds one, steps up and has all rights', async () => {
    await requireSecondFactor(anna.tenantId);
    const { accessToken } = await anna.enter();
    expect(claimsOf(accessToken)).toMatchObject({ roles: [], grants: [] });
    const before = (await users.call(sessions.me, {}, as())).body;
    expect(before).toMatchObject({
      permissions: [],
      mustEnrolSecondFactor: true,
      mustProveSecondFactor: false,
    });

    const app = await anna.addApp();
    expect((await users.call(sessions.me, {}, as())).body).toMatchObject({
      permissions: [],
      mustEnrolSecondFactor: false,
      mustProveSecondFactor: true,
    });
    const proved = (await users.call(secondFactors.stepUp, { body: { code: app.nextCode() } }, as())).body
      .accessToken;
    expect(claimsOf(proved)).toMatchObject({ roles: ['admin'] });
    expect((await users.call(sessions.me, {}, { as: proved })).body).toMatchObject({
      permissions: ['*'],
      mustEnrolSecondFactor: false,
      mustProveSecondFactor: false,
    });
  });

  it('a person with one signs in with it and has all rights at once', async () => {
    const app = await anna.addApp();
    await requireSecondFactor(anna.tenantId);
    expect(claimsOf((await anna.enterWith(app)).accessToken).roles).toEqual(['admin']);
  });

  it('the last one stays, also when the last two are removed at the same moment', async () => {
    const app = await anna.addApp();
    const device = await anna.addDevice();
    await requireSecondFactor(anna.tenantId);
    const answers = await Promise.all([remove(app.factorId), remove(device.factorId)]);
    expect(statusesOf(answers)).toEqual([204, 422]);
    expect(answers.find(({ status }) => status === 422)).toBeRefused(secondFactors.LastFactorDemanded);
    expect((await listed()).items).toHaveLength(1);
    expect((await listed()).recoveryCodesLeft).toBe(10);
  });

  it('the last one also stays where another organisation of the person requires it', async () => {
    const { factorId } = await anna.addApp();
    const boris = await personUnderTest(users, clock);
    await peopleOf(() => users, clock.now).join(boris.tenantId, anna.id);
    await requireSecondFactor(boris.tenantId);
    expect(await remove(factorId)).toBeRefused(secondFactors.LastFactorDemanded);
    expect((await listed()).items).toHaveLength(1);
  });
});
