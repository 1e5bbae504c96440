import { knownDevices } from './known-device.ts';

const anna = '01920000-0000-7000-8000-000000000001';
const boris = '01920000-0000-7000-8000-000000000002';
const now = new Date('2026-05-01T10:00:00Z');
const devices = knownDevices(Buffer.alloc(32, 1));
const days = (count: number) => new Date(now.getTime() + count * 24 * 60 * 60 * 1_000);
const session = '01920000-0000-7000-8000-00000000000a';
const token = devices.tokenFor(anna, session, now).deviceToken;

it('a device is known to its owner for half a year', () => {
  expect(devices.recognise(token, anna, now)).toBe(session);
  expect(devices.recognise(token, anna, days(179))).toBe(session);
  expect(devices.recognise(token, anna, days(181))).toBeUndefined();
  expect(devices.tokenFor(anna, session, now).expiresAt).toEqual(days(180));
});

it.each<[string, string, string]>([
  ['of somebody else', token, boris],
  [
    'of another installation',
    knownDevices(Buffer.alloc(32, 2)).tokenFor(anna, session, now).deviceToken,
    anna,
  ],
  ['with a later end', `_${token.slice(1)}`, anna],
  ['with another mark', `${token.slice(0, -2)}AA`, anna],
  ['that was cut', token.slice(0, -1), anna],
  ['that is empty', '', anna],
  ['that is no token', 'x'.repeat(75), anna],
])('a token %s makes no device known', (_, given, person) => {
  expect(devices.recognise(given, person, now)).toBeUndefined();
});

it('one session makes one device known, however often and in whatever spelling', () => {
  const again = devices.tokenFor(anna, session, days(1)).deviceToken;
  expect(again).not.toBe(token);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const spellings = [0, 1, 2, 3].map(
    (bits) => `${token.slice(0, -1)}${alphabet[(alphabet.indexOf(token.slice(-1)) & ~3) | bits]}`,
  );
  const known = [again, ...spellings].map((each) => devices.recognise(each, anna, now));
  expect(new Set(known)).toEqual(new Set([session]));
  const other = '01920000-0000-7000-8000-00000000000b';
  expect(devices.recognise(devices.tokenFor(anna, other, now).deviceToken, anna, now)).toBe(other);
});
