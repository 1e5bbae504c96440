import { newId } from '@marimo/contracts';
import { createFileLinks, type FileLink } from './links.ts';

const now = new Date('2027-03-01T12:00:00Z');
const link: FileLink = {
  service: 'shop',
  tenantId: newId(),
  fileId: newId(),
  disposition: 'inline',
  endsAt: new Date('2027-03-01T12:05:00Z'),
};
const links = createFileLinks('the secret of the shop');
const good = links.sign(link);

describe('a link to a file', () => {
  it('says which file of which organisation it opens, how, and until when', () => {
    expect(links.read(good, now)).toEqual(link);
  });

  it('ends', () => {
    expect(links.read(good, new Date('2027-03-01T12:04:59.999Z'))).toEqual(link);
    expect(links.read(good, new Date('2027-03-01T12:05:00Z'))).toBeUndefined();
  });

  it('is worth nothing when any bit of it differs', () => {
    const bytes = Buffer.from(good, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const tampered = Buffer.from(bytes);
      tampered[bit >> 3] = (tampered[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(links.read(tampered.toString('base64url'), now)).toBeUndefined();
    }
  });

  it.each([
    ['nothing', ''],
    ['cut', good.slice(0, -1)],
    ['good but for a sign more', `${good}A`],
    ['good but for padding', `${good}=`],
    ['good but for a space', ` ${good}`],
    ['in the other alphabet of base64', inOtherAlphabet()],
    ['of other signs', '💥'.repeat(40)],
  ])('is worth nothing when it is %s', (_, text) => {
    expect(links.read(text, now)).toBeUndefined();
  });

  it('is worth nothing with another secret', () => {
    expect(createFileLinks('the secret of another service').read(good, now)).toBeUndefined();
  });
});

/** One in a few links has none of the signs in which the alphabets differ. */
function inOtherAlphabet(): string {
  for (;;) {
    const one = Buffer.from(links.sign({ ...link, fileId: newId() }), 'base64url').toString('base64');
    if (/[+/]/.test(one)) return one;
  }
}
