/** Why a tunnel is closed from the middle (RFC 6455 section 7.4; 4000 to 4999 are ours to give a meaning). */
export const closeCodes = {
  /** The gateway stops; the same address answers again at once. */
  restart: 1012,
  /** The session was ended or the access token has: sign in or renew it, then dial again. */
  signedOut: 4401,
  /** Nothing was said for too long. */
  idle: 4408,
} as const;
export type CloseReason = keyof typeof closeCodes;

/**
 * Follows the frames in a stream of bytes, so that it is known whether one ends where the bytes end: only there can
 * another frame be put in. It reads nothing but lengths (RFC 6455 section 5.2).
 */
export class FrameFollower {
  readonly #head: number[] = [];
  /** Of the frame that is passing. */
  #left = 0;

  get isBetweenFrames(): boolean {
    return this.#left === 0 && this.#head.length === 0;
  }

  follow(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const passing = Math.min(this.#left, chunk.length - at);
        this.#left -= passing;
        at += passing;
        continue;
      }
      this.#head.push(chunk[at] as number);
      at += 1;
      const length = lengthBehind(this.#head);
      if (length === undefined) continue;
      this.#left = length;
      this.#head.length = 0;
    }
  }
}

/** How many bytes follow this head; undefined while it is not complete. A mask's four bytes are part of the head. */
function lengthBehind(head: readonly number[]): number | undefined {
  const second = head[1];
  if (second === undefined) return undefined;
  const stated = second & 0x7f;
  const lengthBytes = stated === 127 ? 8 : stated === 126 ? 2 : 0;
  const maskBytes = (second & 0x80) === 0 ? 0 : 4;
  if (head.length < 2 + lengthBytes + maskBytes) return undefined;
  if (lengthBytes === 0) return stated;
  return head.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** @param masked as everything is that a client says; the mask of zeros changes nothing */
export function closeFrame(code: number, masked: boolean): Buffer {
  const payload = Buffer.of(code >> 8, code & 0xff);
  const mask = masked ? Buffer.alloc(4) : Buffer.alloc(0);
  return Buffer.concat([Buffer.of(0x88, payload.length | (masked ? 0x80 : 0)), mask, payload]);
}
