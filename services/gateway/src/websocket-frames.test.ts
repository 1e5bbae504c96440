import { FrameFollower } from './websocket-frames.ts';

const unmasked = (length: number) => Buffer.concat([headOf(length, 0), Buffer.alloc(length, 0x88)]);
const masked = (length: number) => Buffer.concat([headOf(length, 0x80), Buffer.alloc(4 + length, 0x81)]);

function headOf(length: number, mask: number): Buffer {
  if (length < 126) return Buffer.of(0x82, mask | length);
  const long = Buffer.alloc(length < 65_536 ? 4 : 10);
  long[0] = 0x82;
  long[1] = mask | (length < 65_536 ? 126 : 127);
  if (length < 65_536) long.writeUInt16BE(length, 2);
  else long.writeBigUInt64BE(BigInt(length), 2);
  return long;
}

describe('parsing frames', () => {
  it.each([
    ['without a mask', unmasked],
    ['with a mask', masked],
  ])('finds where each ends, however they are split: %s', (_, make) => {
    const frames = [0, 1, 125, 126, 300, 65_535, 65_536, 5].map(make);
    const bytes = Buffer.concat(frames);
    const ends = new Set<number>();
    frames.reduce((at, frame) => {
      ends.add(at + frame.length);
      return at + frame.length;
    }, 0);
    for (const step of [1, 2, 7, 1_000, 70_000]) {
      const follower = new FrameFollower();
      expect(follower.isBetweenFrames).toBe(true);
      for (let at = 0; at < bytes.length; at += step) {
        follower.follow(bytes.subarray(at, at + step));
        const passed = Math.min(at + step, bytes.length);
        if (follower.isBetweenFrames !== ends.has(passed))
          throw new Error(`Wrong at ${passed} in steps of ${step}`);
      }
    }
  });
});
