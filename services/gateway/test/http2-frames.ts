import { connect } from 'node:tls';

export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
export const flags = { none: 0, endStream: 1, ack: 1, endHeaders: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** An HTTP/2 client that says what it is told, also what no client may say. */
export interface FrameClient {
  readonly received: Frame[];
  /** How the connection ended, if it has. */
  readonly closed: () => boolean;
  send(...frames: Buffer[]): void;
  end(): void;
}

export async function frameClient(port: number, settings: Buffer = Buffer.alloc(0)): Promise<FrameClient> {
  const socket = connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const received: Frame[] = [];
  let rest = Buffer.alloc(0);
  let isClosed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    isClosed = true;
  });
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3);
      received.push({
        type: rest[3] as number,
        flags: rest[4] as number,
        stream: rest.readUInt32BE(5),
        payload: rest.subarray(9, 9 + length),
      });
      rest = rest.subarray(9 + length);
    }
  });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(frameTypes.settings, flags.none, 0, settings));
  return {
    received,
    closed: () => isClosed,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    end: () => socket.destroy(),
  };
}

export function frame(type: number, flag: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flag;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header block without compression (RFC 7541 section 6.2.2). */
export function headerBlock(headers: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([hpackLength(bytes.length), bytes]);
  };
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let left = length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

export const get: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'erp.example'],
  [':path', '/api/v1/stock/open'],
];

/** A whole request without a body. */
export function asking(stream: number, headers = get): Buffer {
  return frame(frameTypes.headers, flags.endHeaders | flags.endStream, stream, headerBlock(headers));
}

/** The error code of a GOAWAY or RST_STREAM. */
export function codeOf({ type, payload }: Frame): number {
  return payload.readUInt32BE(type === frameTypes.goaway ? 4 : 0);
}
