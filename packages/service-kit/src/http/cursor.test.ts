import { Id, MalformedRequest, newId } from '@marimo/contracts';
import { z } from 'zod';
import { cursorOf, readCursor } from './cursor.ts';

const forged = (...key: unknown[]) => Buffer.from(JSON.stringify(key)).toString('base64url');

describe('the place where a list goes on', () => {
  it('comes back as it was given, also a name of any script', () => {
    const id = newId();
    expect(readCursor(cursorOf('Анна \u{1f332}', id), z.string(), Id)).toEqual(['Анна \u{1f332}', id]);
    expect(readCursor(cursorOf('0000-12'), z.string())).toEqual(['0000-12']);
    expect(readCursor(undefined, Id)).toBeUndefined();
  });

  it.each([
    ['is no JSON', 'x'],
    ['has another shape', forged('a', 'b', 'c')],
    ['holds a NUL character', forged('a\u0000', newId())],
    [
      'holds half a surrogate pair',
      Buffer.from('["\\ud800","0199c1f0-0000-7000-8000-000000000001"]').toString('base64url'),
    ],
  ])('is refused when it %s', (_, after) => {
    expect(() => readCursor(after, z.string(), Id)).toThrow(MalformedRequest);
  });

  it.each([
    ['a year that PostgreSQL does not know', '0000-01-01T00:00:00Z'],
    ['an instant longer than PostgreSQL reads', `2026-01-01T00:00:00.${'1'.repeat(200)}Z`],
  ])('is refused when it names %s', (_, instant) => {
    expect(() => readCursor(forged(instant, newId()), z.iso.datetime(), Id)).toThrow(MalformedRequest);
  });
});
