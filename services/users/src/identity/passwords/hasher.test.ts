import { TooManyRequests } from '@marimo/contracts';
import { createHasher, newPasswordKey } from './hasher.ts';

const getPasswordKey = newPasswordKey();
const quick = { key: async () => getPasswordKey, cost: 4 };

describe('hashing passwords', () => {
  it('accepts the hashed password and no other', async () => {
    const hasher = createHasher(quick);
    const stored = await hasher.hash('correct horse battery staple');
    expect(await hasher.matches('correct horse battery staple', stored)).toBe(true);
    expect(await hasher.matches('correct horse battery staple ', stored)).toBe(false);
  });

  it.each([
    ['the 37th Cyrillic letter', 'ж'.repeat(37), `${'ж'.repeat(36)}з`],
    ['the 256th letter', 'a'.repeat(256), `${'a'.repeat(255)}b`],
    ['what follows a zero character', 'secret\0one', 'secret\0two'],
  ])('distinguishes %s', async (_, one, other) => {
    const hasher = createHasher(quick);
    const stored = await hasher.hash(one);
    expect(await hasher.matches(one, stored)).toBe(true);
    expect(await hasher.matches(other, stored)).toBe(false);
  });

  it('treats both encodings of an accent as the same password', async () => {
    const hasher = createHasher(quick);
    const stored = await hasher.hash('crème brûlée à gogo'.normalize('NFD'));
    expect(await hasher.matches('crème brûlée à gogo'.normalize('NFC'), stored)).toBe(true);
  });

  it('is of no use without the key', async () => {
    const stored = await createHasher(quick).hash('correct horse battery staple');
    const elsewhere = createHasher({ ...quick, key: async () => newPasswordKey() });
    expect(await elsewhere.matches('correct horse battery staple', stored)).toBe(false);
  });

  it('uses work factor 12 by default, also for unknown people', async () => {
    const hasher = createHasher({ key: quick.key });
    expect(await hasher.hash('correct horse battery staple')).toMatch(/^\$2b\$12\$/);
    const began = process.cpuUsage();
    expect(await hasher.matches('correct horse battery staple', undefined)).toBe(false);
    // One round of cost 12 is near 200 ms; a shortcut would be under one.
    expect(process.cpuUsage(began).user).toBeGreaterThan(20_000);
  });

  it('runs a few hashes at once, queues some, and refuses the rest', async () => {
    const hasher = createHasher({ ...quick, cost: 8, concurrency: 1, waiting: 2 });
    const answers = await Promise.allSettled(Array.from({ length: 6 }, () => hasher.hash('x')));
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ]);
    expect(answers.at(-1)).toMatchObject({ reason: expect.any(TooManyRequests) });
    await expect(hasher.hash('x')).resolves.toMatch(/^\$2b\$/); // afterwards there is room again
  });

  it('skips callers who left the queue', async () => {
    const hasher = createHasher({ ...quick, concurrency: 1, waiting: 5 });
    const gone = AbortSignal.abort(new Error('gone'));
    const [first, second, third] = await Promise.allSettled([
      hasher.hash('x'),
      hasher.hash('x', gone),
      hasher.hash('x'),
    ]);
    expect([first?.status, second?.status, third?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
