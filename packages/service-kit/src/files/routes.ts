import { type FileFacts, FileLinkRefused, type FilesContract, type ServiceName } from '@marimo/contracts';
import {
  contentDisposition,
  contentTypeHeader,
  createFileLinks,
  dispositionOf,
  type Files,
  type StoredFile,
} from '@marimo/files';
import { etagOf } from '../http/etag.ts';
import { requireFound } from '../http/require-found.ts';
import { handle, type Route, reply } from '../route.ts';
import { secretOf } from '../settings/service-secrets.ts';
import type { Settings } from '../settings/settings.ts';

const linkMs = 5 * 60_000;

/** Whatever a browser makes of a file, it runs nothing of it. */
const harmless = {
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff',
};

interface Serving {
  readonly files: Files;
  readonly settings: Settings;
  readonly clock: () => Date;
}

/** How people send files to a service and download them. */
export function fileRoutes(
  service: ServiceName,
  contract: FilesContract,
  { files, settings, clock }: Serving,
): Route[] {
  const { upload, get, link, content } = contract;
  const links = createFileLinks(secretOf(settings.serviceSecrets, service));
  const { bodyLimitBytes: limitBytes = 0 } = upload;

  return [
    handle(upload, async (call) => {
      const { tenantId, caller, deadlineAt, signal, query } = call;
      const sender = { tenantId, userId: caller.userId, deadlineAt, signal };
      const file = await files.receive(sender, call.stream, { name: query.name, limitBytes });
      return reply(201, toApiFile(file), { location: `${upload.path}/${file.fileId}` });
    }),
    handle(get, async (call) => {
      const file = await call.readInTenant((tx) => files.find(tx, call.params.fileId));
      return reply(200, toApiFile(requireFound(file, 'file')));
    }),
    handle(link, async (call) => {
      const { fileId } = call.params;
      requireFound(await call.readInTenant((tx) => files.find(tx, fileId)), 'file');
      const endsAt = new Date(Math.floor((clock().getTime() + linkMs) / 1_000) * 1_000); // as the link says it
      const { disposition } = call.body;
      const text = links.sign({ service, tenantId: call.tenantId, fileId, disposition, endsAt });
      return reply(200, { path: `${content.path.replace('{fileId}', fileId)}?link=${text}`, endsAt });
    }),
    handle(content, async (call) => {
      const { fileId } = call.params;
      const opened = links.read(call.query.link, clock());
      if (opened?.service !== service || opened.fileId !== fileId) throw new FileLinkRefused({});
      const found = await call.inTenantOf(opened.tenantId, (tx) => files.find(tx, fileId));
      const file = requireFound(found, 'file');
      const disposition = dispositionOf(opened.disposition, file.contentType);
      return reply(
        200,
        { sizeBytes: file.sizeBytes, open: (range) => files.open(file, range) },
        {
          ...harmless,
          'content-type': contentTypeHeader(file.contentType),
          'content-disposition': contentDisposition(disposition, file.name),
          etag: etagOf(file.sha256),
        },
      );
    }),
  ];
}

function toApiFile(file: StoredFile): FileFacts {
  const { fileId, name, contentType, sizeBytes, sha256, createdBy, createdAt } = file;
  return { fileId, name, contentType, sizeBytes, sha256, createdBy, createdAt };
}
