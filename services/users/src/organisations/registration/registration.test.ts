import { IdempotencyKeyReused } from '@marimo/contracts';
import { credentials, type identity, organisations, people, sessions } from '@marimo/contracts/users';
import { useUsers } from '../../../test/use-users.ts';

const users = useUsers();

let count = 0;
const registration = (changes: object = {}) => ({
  organisation: 'Pine & Co',
  name: 'Anna Petrova',
  email: `anna${++count}@example.com`,
  password: 'correct horse battery staple',
  baseCurrency: 'EUR',
  language: 'en' as const,
  ...changes,
});
const eventsOf = async (type: string) => (await users.events()).filter((event) => event.type === type);

describe('registering an organisation', () => {
  it('creates the organisation and its first administrator, and signs them in', async () => {
    const request = registration();
    const answer = await users.call(sessions.register, { body: request });
    expect(answer.status).toBe(201);
    const { accessToken, user, organisation: made, ...rest } = answer.body;
    expect(rest).toEqual({ refreshToken: expect.any(String), expiresIn: 900, tokenType: 'Bearer' });
    expect(user).toMatchObject({ name: 'Anna Petrova', email: request.email, language: 'en' });
    expect(made).toMatchObject({ name: 'Pine & Co', baseCurrency: 'EUR', language: 'en' });

    const who = await users.call(sessions.me, {}, { as: accessToken });
    expect(who.body).toEqual({
      user,
      organisation: made,
      roles: ['admin'],
      permissions: ['*'],
      mustEnrolSecondFactor: false,
      mustProveSecondFactor: false,
    });
    const mine = await users.call(organisations.get, {}, { as: accessToken });
    expect(mine.body).toMatchObject(made);
  });

  it('treats both spellings of an international domain as one mailbox', async () => {
    const mailbox = `v${Date.now()}`;
    const email = `${mailbox}@bücher.example`;
    expect((await users.call(sessions.register, { body: registration({ email }) })).status).toBe(201);
    const ascii = registration({ email: `${mailbox}@xn--bcher-kva.example` });
    expect(await users.call(sessions.register, { body: ascii })).toBeRefused(credentials.EmailTaken);
    const { email: written, password } = ascii;
    expect((await users.call(sessions.login, { body: { email: written, password } })).status).toBe(200);
  });

  it('publishes the administrator without a secret, and sends an e-mail to verify the mailbox', async () => {
    const { body } = await users.call(sessions.register, { body: registration() });
    const events = (await users.events()).filter(({ tenantid }) => tenantid === body.organisation.id);
    expect(events.map(({ type, actorid }) => [type, actorid])).toEqual([
      [sessions.organisationRegistered.type, body.user.id],
      [people.emailVerificationAsked.type, body.user.id],
      [sessions.started.type, body.user.id],
    ]);
    expect(events[0]).toMatchObject({
      subject: body.organisation.id,
      data: { organisation: body.organisation, admin: body.user },
    });
    expect(JSON.stringify(events)).not.toMatch(/correct horse|\$2b\$/);
  });

  it('uses roubles and Russian by default', async () => {
    const { baseCurrency, language, ...bare } = registration();
    const { body } = await users.call(sessions.register, { body: bare });
    expect(body.organisation).toMatchObject({ baseCurrency: 'RUB', language: 'ru' });
    expect([baseCurrency, language]).toEqual(['EUR', 'en']);
  });

  it('refuses a weak password and stores nothing', async () => {
    const request = registration({ password: 'Qwerty123' });
    const answer = await users.call(sessions.register, { body: request });
    expect(answer).toBeRefused(credentials.PasswordTooWeak, { reason: 'too-common' });
    const people = await users.rows<{ email: string }>('person');
    expect(people.map(({ email }) => email)).not.toContain(request.email);
  });

  it('refuses a taken e-mail in any spelling, and stores nothing', async () => {
    const composed = 'jos\u00e9@example.com';
    await users.call(sessions.register, { body: registration({ email: composed }) });
    const before = await users.rows('organisation');
    for (const email of [composed, 'JOS\u00c9@Example.COM', 'jose\u0301@example.com']) {
      expect(await users.call(sessions.register, { body: registration({ email }) })).toBeRefused(
        credentials.EmailTaken,
      );
    }
    expect(await users.rows('organisation')).toEqual(before);
  });

  it('accepts one of several concurrent registrations with the same e-mail', async () => {
    const request = registration();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        users.call(sessions.register, { body: { ...request, organisation: `Firm ${n}` } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      201, 409, 409, 409, 409, 409, 409, 409,
    ]);
    const people = await users.rows<{ email: string }>('person');
    expect(people.filter(({ email }) => email === request.email)).toHaveLength(1);
  });

  it('stores the password only as a bcrypt hash', async () => {
    await users.call(sessions.register, { body: registration() });
    for (const { password_hash: hash } of await users.rows<{ password_hash: string }>('person')) {
      expect(hash).toMatch(/^\$2b\$04\$[./A-Za-z0-9]{53}$/);
    }
  });
});

describe('registering again with the same Idempotency-Key', () => {
  const keyed = (body: ReturnType<typeof registration>, idempotencyKey: string) =>
    users.call(sessions.register, { body, idempotencyKey });

  it('signs in to the same organisation, without a second welcome', async () => {
    const request = registration();
    const first = await keyed(request, 'key-one');
    const second = await keyed(request, 'key-one');
    expect(second.status).toBe(201);
    expect(second.body.organisation).toEqual(first.body.organisation);
    expect(second.body.user).toEqual(first.body.user);
    const events = await eventsOf(sessions.organisationRegistered.type);
    expect(events.filter(({ subject }) => subject === first.body.organisation.id)).toHaveLength(1);
    const who = await users.call(sessions.me, {}, { as: second.body.accessToken });
    expect(who.status).toBe(200);
  });

  it('creates one organisation when both run at the same time', async () => {
    const request = registration();
    const answers = await Promise.all(Array.from({ length: 4 }, () => keyed(request, 'key-at-once')));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ body }) => body.organisation.id)).size).toBe(1);
  });

  it.each([
    ['organisation', { organisation: 'Other & Co' }],
    ['password', { password: 'another horse battery staple' }],
    ['e-mail', { email: 'somebody.else@example.com' }],
  ])('is refused when the %s differs', async (what, change) => {
    const request = registration();
    await keyed(request, `key-${what}`);
    expect(await keyed({ ...request, ...change }, `key-${what}`)).toBeRefused(IdempotencyKeyReused);
  });

  it('refuses a second e-mail, also when both run at the same time', async () => {
    const answers = await Promise.all([
      keyed(registration(), 'key-shared'),
      keyed(registration(), 'key-shared'),
    ]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 422]);
  });
});

it('can be followed by a sign-in with any spelling of e-mail and password', async () => {
  await users.call(sessions.register, {
    body: registration({
      email: 'Zo\u00eb@Example.com',
      password: 'cr\u00e8me br\u00fbl\u00e9e \u00e0 gogo',
    }),
  });
  const answer = await users.call(sessions.login, {
    body: { email: 'zoe\u0308@example.com', password: 'cre\u0300me bru\u0302le\u0301e a\u0300 gogo' },
  });
  expect(answer.status).toBe(200);
  expect((answer.body as identity.SignedIn).user.email).toBe('Zo\u00eb@Example.com');
});
