import { identity, secondFactors, sessions } from '@marimo/contracts/users';
import { type ServiceUnderTest, type TestClock, testClock } from '@marimo/testing';
import { Secret, TOTP } from 'otpauth';
import { password, peopleOf } from './organisation-with-people.ts';
import { type SoftwareAuthenticator, softwareAuthenticator } from './software-authenticator.ts';
import { useUsers } from './use-users.ts';

const stepMs = 30_000;

/** An administrator with an organisation of their own. */
export interface PersonUnderTest {
  readonly id: string;
  readonly tenantId: string;
  readonly email: string;
  /** The newest tokens. */
  signedIn: identity.SignedIn;
  /** Signs in with the password, which is enough as long as there is no second factor. */
  enter(): Promise<identity.SignedIn>;
  /** The password was right: what is asked for. */
  ask(): Promise<secondFactors.SecondFactorAsked>;
  /** Adds an authenticator app; its code of this moment is spent with that. */
  addApp(name?: string): Promise<AppUnderTest>;
  addDevice(name?: string): Promise<DeviceUnderTest>;
  /** Signs in with the next code of this app. */
  enterWith(app: AppUnderTest): Promise<identity.SignedIn>;
}

export interface AppUnderTest {
  readonly factorId: string;
  readonly recoveryCodes: readonly string[];
  /** The code it shows, or the one it showed or will show that many steps from now. */
  code(steps?: number): string;
  /** Waits until it shows one that nobody has used. */
  nextCode(): string;
}

export interface DeviceUnderTest extends SoftwareAuthenticator {
  readonly factorId: string;
  readonly recoveryCodes: readonly string[];
}

/** For a file of tests: one service on a clock of its own, and for each test a person of their own, Anna. */
export function annaUnderTest() {
  const clock = testClock(new Date().toISOString());
  const users = useUsers({ clock: clock.now });
  let anna: PersonUnderTest;
  beforeEach(async () => {
    anna = await personUnderTest(users, clock);
  });
  return { clock, present: () => ({ users, anna }) };
}

export async function personUnderTest(users: ServiceUnderTest, clock: TestClock): Promise<PersonUnderTest> {
  const registered = await peopleOf(() => users, clock.now).organisation();
  const { email } = registered.user;

  const person: PersonUnderTest = {
    id: registered.user.id,
    tenantId: registered.organisation.id,
    email,
    signedIn: registered,
    async enter() {
      const answer = await users.call(sessions.login, { body: { email, password } });
      person.signedIn = identity.SignedIn.parse(answer.body);
      return person.signedIn;
    },
    async ask() {
      const answer = await users.call(sessions.login, { body: { email, password } });
      expect(answer.status).toBe(202);
      return secondFactors.SecondFactorAsked.parse(answer.body);
    },
    async addApp(name = 'Telephone') {
      const as = person.signedIn.accessToken;
      const { factorId, secret } = (await users.call(secondFactors.enrolTotp, { body: { name } }, { as }))
        .body;
      const code = (steps = 0) => codeOf(secret, clock, steps);
      const confirmed = await users.call(
        secondFactors.confirmTotp,
        { params: { factorId }, body: { code: code() } },
        { as },
      );
      const nextCode = () => {
        clock.advance(stepMs);
        return code();
      };
      return { factorId, recoveryCodes: confirmed.body.recoveryCodes ?? [], code, nextCode };
    },
    async addDevice(name = 'Key') {
      const as = person.signedIn.accessToken;
      const device = softwareAuthenticator();
      const passkey = device.create((await users.call(secondFactors.offerPasskey, {}, { as })).body);
      const { factor, recoveryCodes } = (
        await users.call(secondFactors.addPasskey, { body: { name, passkey } }, { as })
      ).body;
      return { ...device, factorId: factor.id, recoveryCodes: recoveryCodes ?? [] };
    },
    async enterWith(app) {
      const { challenge } = await person.ask();
      const answer = await users.call(secondFactors.finishLogin, {
        body: { challenge, code: app.nextCode() },
      });
      person.signedIn = answer.body;
      return answer.body;
    },
  };
  return person;
}

/** As an authenticator app computes it. */
export function codeOf(secret: string, clock: TestClock, steps = 0): string {
  const timestamp = clock.now().getTime() + steps * stepMs;
  return TOTP.generate({ secret: Secret.fromBase32(secret), timestamp });
}

/** A code that is none of those around now. */
export function wrongCode(app: AppUnderTest): string {
  const right = [-2, -1, 0, 1, 2].map((steps) => app.code(steps));
  return (
    ['000000', '111111', '222222', '333333', '444444', '555555'].find((each) => !right.includes(each)) ?? ''
  );
}
