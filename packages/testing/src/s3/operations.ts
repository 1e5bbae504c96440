import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Blob, Bucket, BucketObject } from './bucket.ts';

export interface Operation {
  readonly method: string;
  /** Empty for what concerns the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Blob;
  readonly range: string | undefined;
  readonly now: Date;
  readonly pageEntries: number;
}

export interface Answer {
  readonly status: number;
  /** Of an error. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly xml?: string;
  readonly body?: Readable;
}

const smallestPart = 5 * 1024 * 1024;

/** The operations of S3 that the platform uses, with its rules where they can hurt. */
export async function operate(bucket: Bucket, asked: Operation): Promise<Answer> {
  const { method, key, query, body, now } = asked;
  const uploadId = query.get('uploadId');
  if (key === '' && method === 'GET')
    return query.has('uploads') ? listUploads(bucket) : listObjects(bucket, asked);
  if (key === '') return { status: 501, code: 'NotImplemented' };
  if (uploadId !== null) return ofUpload(bucket, asked, uploadId);
  switch (method) {
    case 'PUT': {
      bucket.objects.set(key, { key, blob: body, modified: now });
      return { status: 200, headers: { etag: body.etag } };
    }
    case 'DELETE':
      bucket.objects.delete(key);
      return { status: 204 };
    case 'POST': {
      if (!query.has('uploads')) return { status: 501, code: 'NotImplemented' };
      const id = randomUUID();
      bucket.uploads.set(id, { id, key, initiated: now, parts: new Map() });
      return { status: 200, xml: result('InitiateMultipartUpload', `<UploadId>${id}</UploadId>`) };
    }
    case 'GET':
    case 'HEAD':
      return readObject(bucket, asked);
    default:
      return { status: 501, code: 'NotImplemented' };
  }
}

async function ofUpload(bucket: Bucket, asked: Operation, id: string): Promise<Answer> {
  const { method, key, query, body, now } = asked;
  const upload = bucket.uploads.get(id);
  if (upload?.key !== key) return { status: 404, code: 'NoSuchUpload' };
  if (method === 'PUT') {
    upload.parts.set(Number(query.get('partNumber')), body);
    return { status: 200, headers: { etag: body.etag } };
  }
  if (method === 'DELETE') {
    bucket.uploads.delete(id);
    return { status: 204 };
  }
  const listed = [...(await bucket.text(body)).matchAll(/<Part>.*?<\/Part>/gs)].map(([part]) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: (/<ETag>(.*?)</.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
  }));
  const parts = listed.map(({ number, etag }) => {
    const blob = upload.parts.get(number);
    return blob?.etag === etag ? blob : undefined;
  });
  const known = parts.filter((part) => part !== undefined);
  if (known.length === 0 || known.length < parts.length) return { status: 400, code: 'InvalidPart' };
  if (known.slice(0, -1).some(({ sizeBytes }) => sizeBytes < smallestPart)) {
    return { status: 400, code: 'EntityTooSmall' };
  }
  bucket.objects.set(key, { key, blob: await bucket.join(known), modified: now });
  bucket.uploads.delete(id);
  return { status: 200, xml: result('CompleteMultipartUpload', `<Key>${key}</Key>`) };
}

function readObject(bucket: Bucket, { key, range, method }: Operation): Answer {
  const found = bucket.objects.get(key);
  if (found === undefined) return { status: 404, code: 'NoSuchKey' };
  const { blob, modified } = found;
  const size = blob.sizeBytes;
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const isPart = from !== undefined;
  const first = Number(from ?? 0);
  const last = Math.min(Number(to ?? size - 1), size - 1);
  if (isPart && first >= size) return { status: 416, code: 'InvalidRange' };
  return {
    status: isPart ? 206 : 200,
    headers: {
      'content-length': last - first + 1,
      etag: blob.etag,
      'last-modified': modified.toUTCString(),
      ...(isPart && { 'content-range': `bytes ${first}-${last}/${size}` }),
    },
    ...(method === 'GET' && { body: bucket.read(blob, first, last) }),
  };
}

function listObjects(bucket: Bucket, { query, pageEntries }: Operation): Answer {
  const prefix = query.get('prefix') ?? '';
  const after = query.get('continuation-token') ?? '';
  const keys = [...bucket.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, pageEntries);
  const isTruncated = page.length < keys.length;
  const entries = page.map((key) => entryOf(bucket.objects.get(key) as BucketObject));
  const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  const inside = `<IsTruncated>${isTruncated}</IsTruncated>${next}${entries.join('')}`;
  return { status: 200, xml: result('ListBucket', inside) };
}

function entryOf({ key, blob, modified }: BucketObject): string {
  return `<Contents><Key>${key}</Key><Size>${blob.sizeBytes}</Size><LastModified>${modified.toISOString()}</LastModified></Contents>`;
}

function listUploads(bucket: Bucket): Answer {
  const entries = [...bucket.uploads.values()].map(
    ({ id, key, initiated }) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${initiated.toISOString()}</Initiated></Upload>`,
  );
  return {
    status: 200,
    xml: result('ListMultipartUploads', `<IsTruncated>false</IsTruncated>${entries.join('')}`),
  };
}

function result(name: string, inside: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}Result xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${name}Result>`;
}
