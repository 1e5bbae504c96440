import type { accessTokens } from '@marimo/contracts/users';
import { rightsFor } from '../../organisations/organisations/index.ts';
import { challengeIn } from './challenge-text.ts';
import { lockoutMsAfter } from './lockout.ts';
import { methodsAfter } from './methods.ts';
import { looksCopied } from './passkeys.ts';
import { newRecoveryCodes, recoveryCodeHash } from './recovery-codes.ts';
import { newSecret, stepOf, toApiTotpSecret } from './totp.ts';

describe('a time-based code', () => {
  // RFC 6238, appendix B, for SHA-1: eight digits there, of which an app shows the last six.
  it.each([
    [59, '287082', 1],
    [1_111_111_109, '081804', 37_037_036],
    [1_111_111_111, '050471', 37_037_037],
    [1_234_567_890, '005924', 41_152_263],
    [2_000_000_000, '279037', 66_666_666],
    [20_000_000_000, '353130', 666_666_666],
  ])('%i seconds after 1970 is %s, as in the standard', (seconds, code, step) => {
    const secret = Buffer.from('12345678901234567890');
    expect(stepOf(code, secret, new Date(seconds * 1_000))).toBe(step);
    expect(stepOf(code, secret, new Date((seconds + 30) * 1_000))).toBe(step);
    expect(stepOf(code, secret, new Date((seconds + 60) * 1_000))).toBeUndefined();
  });

  it('uses 160 random bits, encoded as apps read them', () => {
    const secret = newSecret();
    expect(secret).toHaveLength(20);
    expect(secret.equals(newSecret())).toBe(false);
    const { uri, secret: typed } = toApiTotpSecret(secret, 'anna+1@example.com');
    expect(typed).toMatch(/^[A-Z2-7]{32}$/);
    const { searchParams, protocol, pathname } = new URL(uri);
    expect(protocol).toBe('otpauth:');
    expect(decodeURIComponent(pathname)).toContain('Marimo ERP:anna+1@example.com');
    expect(Object.fromEntries(searchParams)).toEqual({
      issuer: 'Marimo ERP',
      secret: typed,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });
});

it('creates ten recovery codes of 80 random bits each, accepted without their dashes', () => {
  const codes = newRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) {
    expect(code).toMatch(/^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
    expect(recoveryCodeHash(code)).toEqual(recoveryCodeHash(code.replaceAll('-', '')));
  }
});

it.each([
  [0, 0],
  [4, 0],
  [5, 30],
  [6, 60],
  [9, 480],
  [12, 3_600],
  [1_000, 3_600],
])('after %i wrong codes in a row, codes are refused for %i seconds', (failures, seconds) => {
  expect(lockoutMsAfter(failures)).toBe(seconds * 1_000);
});

describe('the authentication methods of a session', () => {
  it.each<
    [
      accessTokens.AuthenticationMethod[],
      accessTokens.AuthenticationMethod,
      boolean,
      accessTokens.AuthenticationMethod[],
    ]
  >([
    [[], 'pwd', false, ['pwd']],
    [['pwd'], 'pwd', false, ['pwd']],
    [['pwd'], 'otp', false, ['pwd', 'otp', 'mfa']],
    [['pwd'], 'recovery', false, ['pwd', 'recovery', 'mfa']],
    [['pwd'], 'swk', false, ['pwd', 'swk', 'mfa']],
    [['fed'], 'otp', false, ['fed', 'otp', 'mfa']],
    [[], 'swk', true, ['swk', 'mfa']],
    [[], 'swk', false, ['swk']],
    [['swk', 'mfa'], 'otp', false, ['otp', 'swk', 'mfa']],
    [['pwd', 'otp', 'mfa'], 'swk', true, ['pwd', 'otp', 'swk', 'mfa']],
  ])('%j and then %s, verified by its device: %s, become %j', (before, method, verified, after) => {
    expect(methodsAfter(before, { method, verified })).toEqual(after);
  });
});

describe('the rights of a session where a second factor may be required', () => {
  const rights = { roles: ['admin'], grants: ['accounting.account.read'] };
  it.each<[boolean, accessTokens.AuthenticationMethod[], boolean]>([
    [false, ['pwd'], true],
    [false, ['pwd', 'otp', 'mfa'], true],
    [true, ['pwd'], false],
    [true, ['fed'], false],
    [true, ['swk'], false],
    [true, [], false],
    [true, ['pwd', 'otp', 'mfa'], true],
    [true, ['swk', 'mfa'], true],
  ])('required: %s, methods: %j: all or none (%s)', (requireSecondFactor, methods, all) => {
    const expected = all ? rights : { roles: [], grants: [] };
    expect(rightsFor({ ...rights, requireSecondFactor }, methods)).toEqual(expected);
  });
});

it.each([
  [0, 0, false],
  [0, 1, false],
  [5, 6, false],
  [5, 5, true],
  [5, 4, true],
  [5, 0, true],
])('a passkey with stored counter %i that sends %i looks copied: %s', (known, said, copied) => {
  expect(looksCopied(known, said)).toBe(copied);
});

it.each([
  ['{"challenge":"abc"}', 'abc'],
  ['{"challenge":"abc","crossOrigin":false}', 'abc'],
  ['{"challenge":"abc","crossOrigin":true}', undefined],
  ['{"challenge":1}', undefined],
  ['[]', undefined],
  ['null', undefined],
  ['{', undefined],
  ['', undefined],
])('client data %s contains the challenge %s', (said, challenge) => {
  expect(challengeIn(Buffer.from(said).toString('base64url'))).toBe(challenge);
});
