import fc from 'fast-check';
import { topicExpression } from './topics.ts';

function matches(binding: string, type: string): boolean {
  return new RegExp(topicExpression(binding)).test(`.${type}`);
}

describe('a pattern of event types', () => {
  it.each([
    ['users.registered.v1', 'users.registered.v1', true],
    ['users.registered.v1', 'users.registered.v2', false],
    ['users.registered.v1', 'users-registered.v1', false],
    ['users.*.v1', 'users.registered.v1', true],
    ['users.*.v1', 'users.v1', false],
    ['users.*.v1', 'users.a.b.v1', false],
    ['users.#', 'users.registered.v1', true],
    ['users.#', 'users', true],
    ['users.#', 'usersx.registered.v1', false],
    ['#.v1', 'v1', true],
    ['#.v1', 'a.b.v1', true],
    ['a.#.v1', 'a.v1', true],
    ['#', 'anything.at.all', true],
  ])('%s takes %s: %s', (binding, type, taken) => {
    expect(matches(binding, type)).toBe(taken);
  });

  it('takes what the definition in AMQP 0-9-1 says, word by word', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'v1'), { minLength: 1, maxLength: 5 });
    const patterns = fc.array(fc.constantFrom('a', 'b', 'v1', '*', '#'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(patterns, words, (pattern, type) => {
        expect(matches(pattern.join('.'), type.join('.'))).toBe(byDefinition(pattern, type));
      }),
    );
  });

  it('is refused when it is none', () => {
    for (const wrong of ['', 'a..b', 'a.b*', 'a.(b|c)', '.a', 'A.b']) {
      expect(() => topicExpression(wrong)).toThrow('no pattern of event types');
    }
  });
});

function byDefinition([head, ...rest]: readonly string[], words: readonly string[]): boolean {
  if (head === undefined) return words.length === 0;
  if (head === '#')
    return words.some((_, at) => byDefinition(rest, words.slice(at))) || byDefinition(rest, []);
  return words.length > 0 && (head === '*' || head === words[0]) && byDefinition(rest, words.slice(1));
}
