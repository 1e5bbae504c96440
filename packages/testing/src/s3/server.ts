import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bucket } from './bucket.ts';
import { type Answer, operate } from './operations.ts';
import { type Account, signatureError } from './signature.ts';

export interface S3ServerOptions {
  readonly region?: string;
  /** How many entries a page of a list has; 1,000 unless told, as at AWS. */
  readonly pageEntries?: number;
  readonly clock?: () => Date;
}

/** One bucket on a server that checks each signature and each body as S3 does. */
export interface S3Server extends Account {
  readonly endpoint: string;
  readonly port: number;
  readonly bucket: string;
  /** The keys of its objects, and of uploads that were begun and neither completed nor aborted. */
  keys(): { readonly objects: string[]; readonly unfinished: string[] };
  stop(): Promise<void>;
}

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { region = 'us-east-1', pageEntries = 1_000, clock = () => new Date() } = options;
  const account = {
    accessKey: `AK${randomBytes(9).toString('hex').toUpperCase()}`,
    secretKey: randomBytes(30).toString('base64'),
    region,
  };
  const name = 'marimo-test';
  const bucket = await Bucket.make();

  async function answer(req: IncomingMessage): Promise<Answer> {
    const denied = signatureError(req, account, clock());
    if (denied !== undefined) return { status: 403, code: denied };
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://s3');
    const [, asked, ...rest] = pathname.split('/').map(decodeURIComponent);
    if (asked !== name) return { status: 404, code: 'NoSuchBucket' };
    const body = await bucket.receive(req);
    // Streamed and unsigned bodies are not what our adapter sends; a body that was changed on its way is refused.
    if (body.sha256 !== req.headers['x-amz-content-sha256']) {
      return { status: 400, code: 'XAmzContentSHA256Mismatch' };
    }
    const request = { method: req.method ?? '', key: rest.join('/'), query: searchParams, body };
    return operate(bucket, { ...request, range: req.headers.range, now: clock(), pageEntries });
  }

  const server = createServer((req, res) => {
    answer(req).then(
      (given) => send(req, res, given),
      () => req.destroy(), // the sender has gone in the middle of its body
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...account,
    endpoint: `http://127.0.0.1:${port}`,
    port,
    bucket: name,
    keys: () => ({
      objects: [...bucket.objects.keys()].sort(),
      unfinished: [...bucket.uploads.values()].map(({ key }) => key).sort(),
    }),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await bucket.remove();
    },
  };
}

function send(req: IncomingMessage, res: ServerResponse, { status, code, headers, xml, body }: Answer): void {
  const text = code === undefined ? xml : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  res.writeHead(status, {
    'x-amz-request-id': 'test',
    ...(text && { 'content-type': 'application/xml' }),
    ...headers,
  });
  req.resume(); // what it still sends is thrown away
  if (body !== undefined && req.method !== 'HEAD') body.on('error', () => res.destroy()).pipe(res);
  else res.end(req.method === 'HEAD' ? undefined : text);
}
