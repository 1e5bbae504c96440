import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type HeadObjectCommandInput, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type S3Server, startS3Server } from '@marimo/testing/outside';
import { type S3Options, s3Store } from './s3-store.ts';

let server: S3Server;
let now = () => new Date();
beforeAll(async () => {
  server = await startS3Server({ clock: () => now() });
});
beforeEach(() => {
  now = () => new Date();
});
afterAll(() => server.stop());

const put = async (changes: Partial<S3Options>) => {
  const { endpoint, bucket, accessKey, secretKey } = server;
  const store = s3Store({ endpoint, bucket, accessKey, secretKey, ...changes });
  try {
    await store.put('object', Readable.from([Buffer.from('content')]));
  } finally {
    await store.close();
  }
};

describe('a store that speaks S3', () => {
  it('lets in who has its keys', async () => {
    await put({});
    expect(server.keys().objects).toEqual(['object']);
  });

  it.each<[string, Partial<S3Options>, string]>([
    ['another secret', { secretKey: 'not the one' }, 'SignatureDoesNotMatch'],
    ['another access key', { accessKey: 'AKNOBODY' }, 'InvalidAccessKeyId'],
    ['another region', { region: 'eu-central-1' }, 'AuthorizationHeaderMalformed'],
    ['another bucket', { bucket: 'elsewhere' }, 'NoSuchBucket'],
  ])('refuses who comes with %s', async (_, changes, error) => {
    await expect(put(changes)).rejects.toThrow(error);
  });

  it('loads the SDK with its first use only', () => {
    expect(() => s3Store({ endpoint: 'nowhere', bucket: '', accessKey: '', secretKey: '' })).not.toThrow();
  });
});

/** The server of the tests is only worth something if it refuses what S3 refuses. */
describe('the S3 server of the tests', () => {
  interface SentRequest {
    method: string;
    path: string;
    query: Record<string, string>;
    headers: Record<string, string>;
    body: unknown;
  }

  /** Sends a signed request that somebody changes on its way. */
  async function sendChanged(change: (request: SentRequest) => void): Promise<unknown> {
    const { endpoint, bucket, accessKey, secretKey, region } = server;
    const client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    client.middlewareStack.add(
      (next) => async (args) => {
        change((args as unknown as { request: SentRequest }).request);
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'changed-on-its-way' },
    );
    const input: HeadObjectCommandInput & { Body: Buffer } = {
      Bucket: bucket,
      Key: 'changed',
      Body: Buffer.from('content'),
    };
    try {
      return await client.send(new PutObjectCommand(input));
    } finally {
      client.destroy();
    }
  }

  it('takes a signed request that nobody changed', async () => {
    await sendChanged(() => {});
    expect(server.keys().objects).toContain('changed');
  });

  it.each<[string, (request: SentRequest) => void, string]>([
    ['path', (request) => (request.path = `${request.path}2`), 'SignatureDoesNotMatch'],
    ['query', (request) => (request.query['uploads'] = ''), 'SignatureDoesNotMatch'],
    ['method', (request) => (request.method = 'DELETE'), 'SignatureDoesNotMatch'],
    ['signed header', (request) => (request.headers['host'] = 'elsewhere'), 'SignatureDoesNotMatch'],
    [
      'stated hash',
      (request) => (request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'),
      'SignatureDoesNotMatch',
    ],
    ['body', (request) => (request.body = Buffer.from('tnetnoc')), 'XAmzContentSHA256Mismatch'],
    ['signature', (request) => flipLastDigit(request.headers), 'SignatureDoesNotMatch'],
    ['signature, which is left out,', (request) => delete request.headers['authorization'], 'AccessDenied'],
  ])('refuses a request whose %s was changed on its way', async (_, change, error) => {
    await expect(sendChanged(change)).rejects.toThrow(error);
  });

  it('refuses a request that was signed twenty minutes ago', async () => {
    now = () => new Date(Date.now() + 20 * 60_000);
    await expect(put({})).rejects.toThrow('RequestTimeTooSkewed');
  });

  it('is gone with all it kept once it is stopped', async () => {
    const other = await startS3Server();
    const { endpoint, bucket, accessKey, secretKey } = other;
    const store = s3Store({ endpoint, bucket, accessKey, secretKey });
    await store.put('object', Readable.from([Buffer.from('content')]));
    expect(String(await buffer(await store.get('object')))).toBe('content');
    await other.stop();
    await expect(store.get('object')).rejects.toThrow();
    await store.close();
  });
});

function flipLastDigit(headers: Record<string, string>): void {
  const before = headers['authorization'] ?? '';
  headers['authorization'] = before.slice(0, -1) + (before.endsWith('0') ? '1' : '0');
}
