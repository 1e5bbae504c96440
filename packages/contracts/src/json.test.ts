import fc from 'fast-check';
import { parseJson } from './json.ts';
import { MalformedRequest } from './platform/refusals.ts';

const outcome = (read: () => unknown) => {
  try {
    return { value: read() };
  } catch (error) {
    return { error };
  }
};

describe('reading JSON', () => {
  it('reads what any other program writes, to the same value', () => {
    const plainKey = fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key));
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 8 },
        fc.string(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.dictionary(plainKey, tie('json'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    const spaces = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(json, spaces, (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('either refuses a mangled text as malformed or reads it as JSON.parse does', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '"a"',
      '"b"',
      ':',
      ',',
      '\\',
      '\\u00',
      '1',
      ' ',
      'null',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        const read = outcome(() => parseJson(text));
        if ('error' in read) expect(read.error).toBeInstanceOf(MalformedRequest);
        else expect(read.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses each of its dangers at any depth below the limit', () => {
    const dangers = [
      '{"a":1,"a":2}',
      '{"__proto__":1}',
      '{"constructor":1}',
      '{"prototype":1}',
      '"\\u0000"',
      '"\\udfff"',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...dangers), fc.nat(20), fc.boolean(), (danger, depth, inObjects) => {
        const [open, shut] = inObjects ? ['{"x":', '}'] : ['[', ']'];
        const text = open.repeat(depth) + danger + shut.repeat(depth);
        expect(outcome(() => parseJson(text))).toEqual({ error: expect.any(MalformedRequest) });
      }),
    );
  });
});
