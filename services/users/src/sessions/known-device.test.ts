import { knownDevices } from './known-device.ts';

const anna = '01920000-0000-7000-8000-000000000001';
const boris = '01920000-0000-7000-8000-000000000002';
const now = new Date('2026-05-01T10:00:00Z');
const devices = knownDevices(Buffer.alloc(32, 1));
const days = (count: number) => new Date(now.getTime() + count * 24 * 60 * 60 * 1_000);
const token = devices.tokenFor(anna, now).deviceToken;

it('a device is known to its owner for half a year', () => {
  expect(devices.knows(token, anna, now)).toBe(true);
  expect(devices.knows(token, anna, days(179))).toBe(true);
  expect(devices.knows(token, anna, days(181))).toBe(false);
  expect(devices.tokenFor(anna, now).expiresAt).toEqual(days(180));
});

it.each<[string, string, string]>([
  ['of somebody else', token, boris],
  ['of another installation', knownDevices(Buffer.alloc(32, 2)).tokenFor(anna, now).deviceToken, anna],
  ['with a later end', `_${token.slice(1)}`, anna],
  ['with another mark', `${token.slice(0, -2)}AA`, anna],
  ['that was cut', token.slice(0, -1), anna],
  ['that is empty', '', anna],
  ['that is no token', 'x'.repeat(75), anna],
])('a token %s makes no device known', (_, given, person) => {
  expect(devices.knows(given, person, now)).toBe(false);
});

it('two devices of one person have different tokens, so that each has attempts of its own', () => {
  expect(devices.tokenFor(anna, now).deviceToken).not.toBe(token);
});
