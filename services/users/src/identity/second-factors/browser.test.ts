import { secondFactors } from '@marimo/contracts/users';
import {
  findBinary,
  requireInfra,
  type ServiceUnderTest,
  serviceUnderTest,
  testClock,
} from '@marimo/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { usersService } from '../../../service.ts';
import { claimsOf } from '../../../test/claims.ts';
import { type PersonUnderTest, personUnderTest } from '../../../test/person-with-factors.ts';

jest.setTimeout(60_000);

const executablePath = process.env['CHROMIUM_PATH'] ?? findBinary('chromium');
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'];
const clock = testClock(new Date().toISOString());

requireInfra('chromium', executablePath !== undefined)('a passkey in a real browser', () => {
  let users: ServiceUnderTest;
  let browser: Browser;
  let anna: PersonUnderTest;

  beforeAll(async () => {
    users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
    browser = await chromium.launch({ executablePath: executablePath as string, args: quiet });
    anna = await personUnderTest(users, clock);
  });

  afterAll(async () => {
    await browser?.close();
    await users?.stop();
  });

  /** An empty page at this address, on a device with a fingerprint reader and a finger on it. */
  async function open(address: string): Promise<Page> {
    const page = await browser.newPage();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const device = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true } as const;
    const finger = { hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
    await devtools.send('WebAuthn.addVirtualAuthenticator', { options: { ...device, ...finger } });
    await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<p>Portal</p>' }));
    await page.goto(address);
    return page;
  }

  const make = (page: Page, options: unknown): Promise<secondFactors.PasskeyCreated> =>
    page.evaluate(`navigator.credentials
      .create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)}) })
      .then((made) => made.toJSON())`);
  const use = (page: Page, options: unknown): Promise<secondFactors.PasskeyAssertion> =>
    page.evaluate(`navigator.credentials
      .get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(options)}) })
      .then((signed) => signed.toJSON())`);

  it('is added, signs in after the password, and signs in alone', async () => {
    const page = await open('http://localhost:8080/');
    const as = { as: anna.signedIn.accessToken };
    const passkey = await make(page, (await users.call(secondFactors.offerPasskey, {}, as)).body);
    expect(
      (await users.call(secondFactors.addPasskey, { body: { name: 'Laptop', passkey } }, as)).status,
    ).toBe(201);

    const { challenge, passkeyOptions } = await anna.ask();
    const signed = await use(page, passkeyOptions);
    const second = await users.call(secondFactors.finishLogin, { body: { challenge, passkey: signed } });
    expect(claimsOf(second.body.accessToken).amr).toEqual(['pwd', 'swk', 'mfa']);

    const chosen = await use(page, (await users.call(secondFactors.challengePasskey, {})).body);
    const alone = await users.call(secondFactors.loginWithPasskey, { body: { passkey: chosen } });
    expect(alone.body.user.id).toBe(anna.id);
    expect(claimsOf(alone.body.accessToken).amr).toEqual(['swk', 'mfa']);
  });

  it('is given to no page of another domain', async () => {
    const elsewhere = await open('http://127.0.0.1:8080/');
    const { body } = await users.call(secondFactors.challengePasskey, {});
    await expect(use(elsewhere, body)).rejects.toThrow(/relying party ID|SecurityError|invalid domain/i);
  });
});
