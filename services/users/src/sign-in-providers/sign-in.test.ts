import { me, type SignedIn } from '@marimo/contracts/users';
import { type ServiceUnderTest, serviceUnderTest, testClock } from '@marimo/testing';
import { usersService } from '../../service.ts';
import { federationOf, type ProviderUnderTest, providerUnderTest } from '../../test/provider-under-test.ts';
import { claimsOf, peopleOf } from '../../test/workplace-under-test.ts';

const clock = testClock(new Date().toISOString());
let users: ServiceUnderTest;
let provider: ProviderUnderTest;
beforeAll(async () => {
  provider = await providerUnderTest();
  users = await serviceUnderTest(usersService({ passwordCost: 4 }), { as: null, clock: clock.now });
});
afterAll(async () => {
  await users?.stop();
  await provider?.stop();
});

const people = peopleOf(() => users, clock.now);
const federation = federationOf(
  () => users,
  () => provider,
);

describe('signing in with the provider of an organisation', () => {
  it('takes who is a member by the address the provider has verified', async () => {
    const admin = await people.organisation();
    const boris = await people.member(admin);
    const providerId = await federation.connect(admin);
    const answer = await federation.enter(admin.organisation.id, providerId, 'boris', {
      email: boris.user.email.toUpperCase(),
      email_verified: true,
    });
    expect(answer.status).toBe(200);
    const signedIn = answer.body as SignedIn;
    expect(signedIn.user.id).toBe(boris.user.id);
    expect(claimsOf(signedIn).amr).toEqual(['fed']);
    expect((await users.call(me, {}, { as: signedIn.accessToken })).body.user.email).toBe(boris.user.email);
  });
});
