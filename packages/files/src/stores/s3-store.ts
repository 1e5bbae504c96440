import type { Readable } from 'node:stream';
import type { MultipartUpload, S3Client } from '@aws-sdk/client-s3';
import {
  ObjectAbsent,
  type ObjectStore,
  requireKey,
  requirePrefix,
  type StoredObject,
} from './object-store.ts';
import { uploadTo } from './s3-upload.ts';

export interface S3Options {
  /** Such as `https://s3.eu-central-1.amazonaws.com` or `http://minio:9000`. The bucket is named in the path. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** `us-east-1` unless told; most stores that are not of AWS take any. */
  readonly region?: string;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** Objects of one bucket, in any store that speaks S3. The SDK is loaded with the first use: most processes need none. */
export function s3Store({ bucket: Bucket, ...options }: S3Options): ObjectStore {
  let opened: Promise<{ sdk: Sdk; client: S3Client }> | undefined;
  const open = () => {
    opened ??= openClient(options);
    return opened;
  };
  const at = (Key: string) => {
    requireKey(Key);
    return { Bucket, Key };
  };

  return {
    async put(key, content, signal) {
      const place = at(key);
      const { sdk, client } = await open();
      await uploadTo({ sdk, client, place }, content, signal);
    },
    async get(key, range) {
      const place = at(key);
      const { sdk, client } = await open();
      const Range = range && { Range: `bytes=${range.first}-${range.last}` };
      try {
        const { Body } = await client.send(new sdk.GetObjectCommand({ ...place, ...Range }));
        return Body as Readable; // as the SDK gives it under Node
      } catch (error) {
        throw isAbsent(error) ? new ObjectAbsent(key) : error;
      }
    },
    async stat(key) {
      const place = at(key);
      const { sdk, client } = await open();
      try {
        const found = await client.send(new sdk.HeadObjectCommand(place));
        return storedObject(key, found.ContentLength, found.LastModified);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    async delete(key) {
      const place = at(key);
      const { sdk, client } = await open();
      await client.send(new sdk.DeleteObjectCommand(place));
    },
    async *list(Prefix) {
      requirePrefix(Prefix);
      const { sdk, client } = await open();
      for await (const page of sdk.paginateListObjectsV2({ client }, { Bucket, Prefix })) {
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          if (Key !== undefined) yield storedObject(Key, Size, LastModified);
        }
      }
    },
    async deleteUnfinished(before) {
      const { sdk, client } = await open();
      let deleted = 0;
      for await (const { Key, UploadId, Initiated } of unfinishedUploads(sdk, client, Bucket)) {
        if (Initiated === undefined || Initiated >= before) continue;
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        deleted += 1;
      }
      return deleted;
    },
    async close() {
      const { client } = (await opened) ?? {};
      client?.destroy();
    },
  };
}

async function openClient(options: Omit<S3Options, 'bucket'>): Promise<{ sdk: Sdk; client: S3Client }> {
  const { endpoint, accessKey, secretKey, region = 'us-east-1' } = options;
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    endpoint,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    forcePathStyle: true,
    // Checksums of the SDK's own kind are unknown to many stores; each request carries the SHA-256 of its body anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 3_000, socketTimeout: 60_000 },
  });
  return { sdk, client };
}

async function* unfinishedUploads(
  sdk: Sdk,
  client: S3Client,
  Bucket: string,
): AsyncGenerator<MultipartUpload> {
  let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket, ...from }));
    yield* page.Uploads ?? [];
    if (page.IsTruncated !== true) return;
    from = {
      ...(page.NextKeyMarker !== undefined && { KeyMarker: page.NextKeyMarker }),
      ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
    };
  }
}

function storedObject(key: string, size: number | undefined, modified: Date | undefined): StoredObject {
  return { key, sizeBytes: size ?? 0, storedAt: modified ?? new Date(0) };
}

function isAbsent(error: unknown): boolean {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  return name === 'NoSuchKey' || name === 'NotFound' || $metadata?.httpStatusCode === 404;
}
