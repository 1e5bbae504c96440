import { instancesToCall } from './known.ts';
import type { Instance } from './registry.ts';

const instances = (ids: string): Instance[] =>
  ids.split('').map((id) => ({ id, service: 'users', host: '127.0.0.1', port: 8081, version: '1' }));

/** Ids as letters: known before, passing and registered in the answer, unconfirmed, and who is called then. */
it.each([
  ['those passing are called', 'A', 'BC', 'BC', '', 'BC'],
  ['one whose check fails is left out', 'AB', 'A', 'AB', '', 'A'],
  ['while nobody passes the known ones stay', 'AB', '', 'AB', '', 'AB'],
  ['while nobody passes one never known to work is not called', 'A', '', 'AB', '', 'A'],
  ['one that was withdrawn goes, also when the others fail', 'AB', '', 'A', '', 'A'],
  ['the last one withdrawn leaves nobody', 'A', '', '', '', ''],
  ['an empty answer takes out nobody unconfirmed', 'AB', '', '', 'AB', 'AB'],
  ['one unconfirmed stays beside those passing', 'ABC', 'B', 'B', 'A', 'AB'],
  ['one unconfirmed whose check fails is left out all the same', 'AB', 'B', 'AB', 'A', 'B'],
])('%s', (_rule, known, passing, registered, unconfirmed, called) => {
  const answer = { passing: instances(passing), registered: new Set(registered) };
  const next = instancesToCall(instances(known), answer, new Set(unconfirmed));
  expect(next.map(({ id }) => id).join('')).toBe(called);
});
