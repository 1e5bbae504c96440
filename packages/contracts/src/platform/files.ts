import { z } from 'zod';
import { anyContentType, endpoint } from '../endpoint.ts';
import { FileContent } from '../file-content.ts';
import { Id } from '../ids.ts';
import { Instant } from '../measures.ts';
import type { Permission } from '../permission.ts';
import { personal } from '../personal.ts';
import type { ServiceName } from '../services.ts';
import { FileLinkRefused, FileRefused, FileRoomUsedUp } from './file-refusals.ts';
import { Absent, Unavailable } from './refusals.ts';

/** What is known of a file. */
export const FileFacts = z.strictObject({
  fileId: Id,
  name: personal(z.string()),
  /** Found in the content; what the sender says of it is not looked at. */
  contentType: z.string(),
  sizeBytes: z.int(),
  /** Of the content, in hexadecimal digits. */
  sha256: z.string(),
  createdBy: Id.nullable(),
  createdAt: Instant,
});
export type FileFacts = z.output<typeof FileFacts>;

export const FileLinkReply = z.strictObject({
  /** The path and query from which the file is downloaded, without a token. */
  path: z.string(),
  endsAt: Instant,
});

const defaultLimitBytes = 100 * 1024 * 1024;
const transferMs = 300_000;

export interface FilesAccess {
  readonly upload: 'signed-in' | Permission;
  readonly read: 'signed-in' | Permission;
  /** Of one file; 100 MiB unless told. */
  readonly limitBytes?: number;
}

/**
 * How a service takes and gives files. Who may do so is the service's to say; its contract hands the endpoints on as
 * `files`. A file that nothing refers to after a day is deleted.
 */
export function filesOf(service: ServiceName, { upload, read, limitBytes }: FilesAccess) {
  const path = `/api/v1/${service}/files`;
  const params = z.strictObject({ fileId: Id });
  return {
    upload: endpoint({
      method: 'POST',
      path,
      summary: 'Stores a file, sent as the body. Refer to it within a day, or it is deleted.',
      access: upload,
      query: z.strictObject({ name: z.string().min(1).max(1_000) }),
      body: { stream: [anyContentType] },
      bodyLimitBytes: limitBytes ?? defaultLimitBytes,
      deadlineMs: transferMs,
      repeat: 'natural', // a second upload is another file, which nothing refers to
      replies: { 201: FileFacts },
      refusals: [FileRefused, FileRoomUsedUp, Unavailable],
    }),
    get: endpoint({
      method: 'GET',
      path: `${path}/{fileId}`,
      summary: 'Returns name, type, size and hash of a file.',
      access: read,
      params,
      replies: { 200: FileFacts },
      refusals: [Absent],
    }),
    link: endpoint({
      method: 'POST',
      path: `${path}/{fileId}/link`,
      summary: 'Returns a link that downloads the file without a token for five minutes.',
      access: read,
      params,
      body: z.strictObject({
        /** `inline` shows pictures, PDF and plain text in the browser; everything else is saved all the same. */
        disposition: z.enum(['attachment', 'inline']).default('attachment'),
      }),
      repeat: 'natural',
      replies: { 200: FileLinkReply },
      refusals: [Absent],
    }),
    content: endpoint({
      method: 'GET',
      path: `${path}/{fileId}/content`,
      summary: 'Downloads a file by a link, as a whole or in part (Range).',
      access: 'public',
      params,
      query: z.strictObject({ link: z.string().max(1_000) }),
      deadlineMs: transferMs,
      replies: { 200: FileContent, 206: FileContent, 416: z.null() },
      refusals: [FileLinkRefused, Absent, Unavailable],
    }),
  };
}
export type FilesContract = ReturnType<typeof filesOf>;
