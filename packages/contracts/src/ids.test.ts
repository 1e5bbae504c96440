import { Id, newId } from './ids.ts';

describe('an id', () => {
  it.each([
    ['a new one of ours', newId()],
    ['one made of a number', '00000000-0000-0000-0000-000000001008'],
    ['one made of a hash', '5d41402a-bc4b-2a76-b971-9d911017c592'],
  ])('is taken from the caller: %s', (_, id) => {
    expect(Id.parse(id)).toBe(id);
  });

  it('is one id in any writing', () => {
    const id = newId();
    expect(Id.parse(id.toUpperCase())).toBe(id);
  });

  it.each(['', '1008', '00000000000000000000000000001008', '{00000000-0000-0000-0000-000000001008}'])(
    'is refused when it is no UUID: %j',
    (id) => expect(Id.safeParse(id).success).toBe(false),
  );
});
