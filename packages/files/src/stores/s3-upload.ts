import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import { untilAborted } from './object-store.ts';

/** Held in memory of each upload. S3 takes at most 10,000 parts, each but the last of 5 MiB or more. */
const partBytes = 8 * 1024 * 1024;

interface Target {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  readonly place: { readonly Bucket: string; readonly Key: string };
}

/**
 * Stores content of unknown length: one request if it fits into a part, else a multipart upload, which nobody sees until it
 * is completed. The SDK's own `Upload` goes on in the background after an abort, so that an object could still appear.
 */
export async function uploadTo(
  target: Target,
  content: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const { sdk, client, place } = target;
  const options = signal && { abortSignal: signal };
  const done: CompletedPart[] = [];
  let UploadId: string | undefined;
  try {
    for await (const { Body, isLast } of partsOf(untilAborted(content, signal))) {
      if (isLast && UploadId === undefined) {
        await client.send(new sdk.PutObjectCommand({ ...place, Body }), options);
        return;
      }
      UploadId ??= (await client.send(new sdk.CreateMultipartUploadCommand(place), options)).UploadId;
      const PartNumber = done.length + 1;
      const part = { ...place, UploadId, PartNumber, Body };
      const { ETag } = await client.send(new sdk.UploadPartCommand(part), options);
      done.push({ PartNumber, ...(ETag !== undefined && { ETag }) });
    }
    const MultipartUpload = { Parts: done };
    await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload }),
      options,
    );
  } catch (error) {
    if (UploadId !== undefined) await abandon(target, UploadId);
    throw signal?.aborted ? signal.reason : error;
  }
}

/** When this fails too, `deleteUnfinished` finds it later. */
async function abandon({ sdk, client, place }: Target, UploadId: string): Promise<void> {
  await client.send(new sdk.AbortMultipartUploadCommand({ ...place, UploadId })).catch(() => undefined);
}

/** Parts of equal size; the last one, which may be empty, says so. */
async function* partsOf(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly Body: Buffer; readonly isLast: boolean }> {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    bytes += chunk.length;
    while (bytes > partBytes) {
      const held = Buffer.concat(chunks);
      yield { Body: held.subarray(0, partBytes), isLast: false };
      chunks = [held.subarray(partBytes)];
      bytes -= partBytes;
    }
  }
  yield { Body: Buffer.concat(chunks), isLast: true };
}
