import { fieldsOf } from '@marimo/contracts';
import { contracts } from '@marimo/contracts/all';
import { redact } from '@marimo/observability';

/** Marked as personal, and not redacted by name: why. */
const ambiguous: Readonly<Record<string, string>> = {
  name: 'organisations, services and files have names too',
  address: 'network addresses are logged in order to trace abuse; logs end with their retention',
  client: 'programs and connections are clients too',
  subject: 'of an event, an id',
  to: 'the end of any range',
  text: 'any text',
  params: 'of a statement or a route',
  lastFailure: 'what a mail server said, which operators need',
};

it('logs redact every field that a contract marks as personal, unless its name means other things too', () => {
  const schemas = Object.values(contracts).flatMap(({ endpoints, events }) => [
    ...events.map(({ data }) => data),
    ...endpoints.flatMap(({ replies, body, query }) => [
      ...Object.values(replies),
      ...(body !== undefined && !('stream' in body) ? [body] : []),
      ...(query === undefined ? [] : [query]),
    ]),
  ]);
  const marked = schemas.flatMap((schema) => fieldsOf(schema)).filter(({ isPersonal }) => isPersonal);
  const words = new Set(
    marked.map(
      ({ path }) =>
        path
          .replaceAll(/\[\]|\{\}/g, '')
          .split('.')
          .at(-1) ?? '',
    ),
  );
  const shown = [...words].filter((word) => JSON.stringify(redact({ [word]: 'Anna' })).includes('Anna'));
  expect(words.size).toBeGreaterThan(5);
  expect(shown.filter((word) => !(word in ambiguous))).toEqual([]);
  expect(Object.keys(ambiguous).filter((word) => !shown.includes(word))).toEqual([]);
});
