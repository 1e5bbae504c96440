import { generateKeyPairSync } from 'node:crypto';
import { TooManyRequests } from '@marimo/contracts';
import { secondFactors, sessions } from '@marimo/contracts/users';
import type { ServiceUnderTest } from '@marimo/testing';
import { claimsOf } from '../../../test/claims.ts';
import {
  annaUnderTest,
  type DeviceUnderTest,
  type PersonUnderTest,
  personUnderTest,
} from '../../../test/person-with-factors.ts';
import { statusesOf } from '../../../test/race.ts';
import { type Lie, softwareAuthenticator } from '../../../test/software-authenticator.ts';

const { clock, present } = annaUnderTest();
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const strangersHandle = Buffer.alloc(16, 7).toString('base64url');

let users: ServiceUnderTest;
let anna: PersonUnderTest;
let device: DeviceUnderTest;
beforeEach(async () => {
  ({ users, anna } = present());
  device = await anna.addDevice();
});

/** From one address only so many are given, and a test asks for many. */
let addresses = 0;
async function challenge(): Promise<secondFactors.PasskeyRequestOptions> {
  const headers = { 'x-forwarded-for': `10.0.0.${++addresses % 250}` };
  return (await users.call(secondFactors.challengePasskey, {}, { headers })).body;
}
const alone = async (lie: Lie = {}, by = device) =>
  users.call(secondFactors.loginWithPasskey, { body: { passkey: by.sign(await challenge(), lie) } });
async function asSecond(lie: Lie = {}, by: { sign: DeviceUnderTest['sign'] } = device) {
  const asked = await anna.ask();
  if (asked.passkeyOptions === undefined) throw new Error('A passkey was expected');
  const passkey = by.sign(asked.passkeyOptions, lie);
  return users.call(secondFactors.finishLogin, { body: { challenge: asked.challenge, passkey } });
}

describe('a passkey as the only factor', () => {
  it('signs in without name and password, and counts as two factors', async () => {
    const { body } = await alone();
    expect(body.user.id).toBe(anna.id);
    expect(claimsOf(body.accessToken).amr).toEqual(['swk', 'mfa']);
    const started = (await users.events()).find(
      ({ type, subject }) => type === sessions.started.type && subject === claimsOf(body.accessToken).sid,
    );
    expect(started).toMatchObject({ tenantid: anna.tenantId, actorid: anna.id, data: { method: 'passkey' } });
  });

  it('gets a challenge that reveals no person', async () => {
    const asked = await challenge();
    expect(asked).toEqual({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      rpId: 'localhost',
      timeout: 240_000,
      userVerification: 'required',
      allowCredentials: [],
    });
  });

  it('must verify its user and name its owner', async () => {
    expect(await alone({ verified: false })).toBeRefused(secondFactors.ProofRefused);
    expect(await alone({ userHandle: null })).toBeRefused(secondFactors.ProofRefused);
  });

  it('answers its challenge once, within five minutes', async () => {
    const asked = await challenge();
    const send = () => users.call(secondFactors.loginWithPasskey, { body: { passkey: device.sign(asked) } });
    const answers = await Promise.all([send(), send()]);
    expect(statusesOf(answers)).toEqual([200, 401]);
    const late = await challenge();
    clock.advance(5 * 60_000);
    const passkey = device.sign(late);
    expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey } })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });

  it('cannot retry a challenge after a wrong answer', async () => {
    const asked = await challenge();
    const wrong = device.sign(asked, { key: otherKey });
    expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey: wrong } })).toBeRefused(
      secondFactors.ProofRefused,
    );
    const right = device.sign(asked);
    expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey: right } })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });

  it('limits challenges per address', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    const answers = await Promise.all(
      Array.from({ length: 70 }, () => users.call(secondFactors.challengePasskey, {}, { headers })),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toBeRefused(TooManyRequests);
  });
});

describe('a passkey as the second factor', () => {
  it('signs in after the password', async () => {
    const { body } = await asSecond();
    expect(claimsOf(body.accessToken).amr).toEqual(['pwd', 'swk', 'mfa']);
  });

  it('need not verify its user or name its owner, because the password did', async () => {
    expect((await asSecond({ verified: false, userHandle: null })).status).toBe(200);
  });

  it("refuses another person's passkey", async () => {
    const boris = await personUnderTest(users, clock);
    const his = await boris.addDevice();
    expect(await asSecond({}, his)).toBeRefused(secondFactors.ProofRefused);
  });

  it('must sign the challenge of this sign-in', async () => {
    const [one, two] = [await anna.ask(), await anna.ask()];
    if (one.passkeyOptions === undefined) throw new Error('A passkey was expected');
    const passkey = device.sign(one.passkeyOptions);
    const answer = await users.call(secondFactors.finishLogin, {
      body: { challenge: two.challenge, passkey },
    });
    expect(answer).toBeRefused(secondFactors.ProofRefused);
  });
});

describe('the signature of a passkey', () => {
  it.each<[string, Lie]>([
    ['for the page of another site', { origin: 'https://marimo.example.org' }],
    ['for an origin that only begins like ours', { origin: 'http://localhost:8080.example.org' }],
    ['for another port', { origin: 'http://localhost:9090' }],
    ['for another domain', { rpId: 'example.org' }],
    ['over another challenge', { challenge: 'A'.repeat(43) }],
    ['of another purpose', { type: 'webauthn.create' }],
    ['by another key', { key: otherKey }],
    ['with the handle of somebody else', { userHandle: strangersHandle }],
    ['from a page in a frame of another site', { crossOrigin: true }],
    ['without anybody there', { present: false }],
    ['with a counter that stands still', { counter: 1 }],
  ])('refuses one %s and begins no session', async (_, lie) => {
    await alone(); // so that the counter stands at more than one
    const before = (await users.rows('session')).length;
    expect(await alone(lie)).toBeRefused(secondFactors.ProofRefused);
    expect(await asSecond(lie)).toBeRefused(secondFactors.ProofRefused);
    expect(await users.rows('session')).toHaveLength(before);
  });

  it.each<[string, string]>([
    ['what is no JSON', Buffer.from('{').toString('base64url')],
    ['null', Buffer.from('null').toString('base64url')],
    ['a list', Buffer.from('[]').toString('base64url')],
    ['a challenge that is no text', Buffer.from('{"challenge":{"a":1}}').toString('base64url')],
  ])('refuses one over %s as wrong', async (_, clientDataJSON) => {
    const good = device.sign(await challenge());
    const passkey = { ...good, response: { ...good.response, clientDataJSON } };
    expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey } })).toBeRefused(
      secondFactors.ProofRefused,
    );
  });

  it('refuses truncated data and an unknown key as wrong', async () => {
    const cut = device.sign(await challenge());
    cut.response.authenticatorData = 'AAAA';
    const broken = device.sign(await challenge());
    broken.response.signature = 'AAAA';
    const unknown = softwareAuthenticator().sign(await challenge(), { userHandle: strangersHandle });
    for (const passkey of [cut, broken, unknown]) {
      expect(await users.call(secondFactors.loginWithPasskey, { body: { passkey } })).toBeRefused(
        secondFactors.ProofRefused,
      );
    }
  });
});

describe('a passkey that may have been copied', () => {
  it('is refused when its counter goes back, and publishes an event', async () => {
    expect((await alone({ counter: 10 })).status).toBe(200);
    expect(await alone({ counter: 9 })).toBeRefused(secondFactors.ProofRefused);
    const told = (await users.events()).filter(
      ({ type, subject }) => type === secondFactors.passkeyCopySuspected.type && subject === anna.id,
    );
    expect(told).toMatchObject([
      { tenantid: anna.tenantId, data: { userId: anna.id, factorId: device.factorId, name: 'Key' } },
    ]);
    expect((await alone({ counter: 11 })).status).toBe(200);
  });

  it('is accepted once when two signatures with the same counter come at the same moment', async () => {
    const answers = await Promise.all([alone({ counter: 20 }), alone({ counter: 20 })]);
    expect(statusesOf(answers)).toEqual([200, 401]);
  });

  it('is not suspected when the device does not count', async () => {
    await users.database.sql('update passkey set counter = 0 where factor_id = $1', [device.factorId]);
    for (let n = 0; n < 3; n += 1) expect((await alone({ counter: 0 })).status).toBe(200);
  });
});

describe('adding a passkey', () => {
  const as = () => anna.signedIn.accessToken;
  const offered = async (token = as()) =>
    (await users.call(secondFactors.offerPasskey, {}, { as: token })).body;

  it('returns recovery codes with the first factor only', async () => {
    expect(device.recoveryCodes).toHaveLength(10);
    expect((await anna.addDevice('Another')).recoveryCodes).toEqual([]);
    const { items } = (await users.call(secondFactors.list, {}, { as: as() })).body;
    expect(items.map(({ name, kind }) => [name, kind])).toEqual([
      ['Key', 'passkey'],
      ['Another', 'passkey'],
    ]);
  });

  it('asks the device to avoid duplicates, and has no name in the user handle', async () => {
    const options = await offered();
    expect(options.excludeCredentials.map(({ id }) => id)).toEqual([device.credentialId]);
    expect(options.rp).toEqual({ id: 'localhost', name: 'Marimo ERP' });
    expect(options.user.name).toBe(anna.email);
    expect(Buffer.from(options.user.id, 'base64url').toString('hex')).toBe(anna.id.replaceAll('-', ''));
  });

  it.each<[string, Lie]>([
    ['another site', { origin: 'https://marimo.example.org' }],
    ['another domain', { rpId: 'example.org' }],
    ['another challenge', { challenge: 'A'.repeat(43) }],
    ['another purpose', { type: 'webauthn.get' }],
    ['a foreign frame', { crossOrigin: true }],
    ['nobody there', { present: false }],
  ])('refuses one made for %s, and stores nothing', async (_, lie) => {
    const passkey = softwareAuthenticator().create(await offered(), lie);
    const answer = await users.call(
      secondFactors.addPasskey,
      { body: { name: 'Key', passkey } },
      { as: as() },
    );
    expect(answer).toBeRefused(secondFactors.PasskeyNotAdded);
    expect((await users.call(secondFactors.list, {}, { as: as() })).body.items).toHaveLength(1);
  });

  it('refuses a challenge of another session, a used one, and an expired one', async () => {
    const boris = await personUnderTest(users, clock);
    const his = softwareAuthenticator().create(await offered(boris.signedIn.accessToken));
    const add = (passkey: typeof his) =>
      users.call(secondFactors.addPasskey, { body: { name: 'Key', passkey } }, { as: as() });
    expect(await add(his)).toBeRefused(secondFactors.PasskeyNotAdded);

    const options = await offered();
    expect((await add(softwareAuthenticator().create(options))).status).toBe(201);
    expect(await add(softwareAuthenticator().create(options))).toBeRefused(secondFactors.PasskeyNotAdded);
    const late = softwareAuthenticator().create(await offered());
    clock.advance(5 * 60_000);
    expect(await add(late)).toBeRefused(secondFactors.PasskeyNotAdded);
  });

  it('accepts self-attestation and ignores certificates', async () => {
    const add = async (lie: Lie) => {
      const passkey = softwareAuthenticator().create(await offered(), lie);
      return users.call(secondFactors.addPasskey, { body: { name: 'Key', passkey } }, { as: as() });
    };
    expect((await add({ attests: 'itself' })).status).toBe(201);
    expect(await add({ attests: 'with a certificate' })).toBeRefused(secondFactors.PasskeyNotAdded);
  });

  it('refuses a known key, also one of another person', async () => {
    const boris = await personUnderTest(users, clock);
    const options = await offered(boris.signedIn.accessToken);
    const answer = await users.call(
      secondFactors.addPasskey,
      { body: { name: 'Mine', passkey: device.create(options) } },
      { as: boris.signedIn.accessToken },
    );
    expect(answer).toBeRefused(secondFactors.PasskeyKnown);
  });

  it('refuses malformed data as malformed', async () => {
    const options = await offered();
    const passkey = softwareAuthenticator().create(options);
    passkey.response.attestationObject = 'AAAA';
    const answer = await users.call(
      secondFactors.addPasskey,
      { body: { name: 'Key', passkey } },
      { as: as() },
    );
    expect(answer).toBeRefused(secondFactors.PasskeyNotAdded);
  });
});
