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

  it('is refused when it names a year that PostgreSQL does not know', () => {
    const after = forged('0000-01-01T00:00:00Z', newId());
    expect(() => readCursor(after, z.iso.datetime(), Id)).toThrow(MalformedRequest);
  });
});
