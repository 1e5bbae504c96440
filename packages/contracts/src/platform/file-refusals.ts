import { refusal } from '@marimo/problems';
import { z } from 'zod';

export class FileTooLarge extends refusal(z.object({ limit: z.int() }), {
  code: 'platform.file-too-large',
  kind: 'tooLarge',
  title: 'The file is too large',
  detail: ({ limit }) => `Send a file of at most ${limit} bytes.`,
}) {}

export class FileRoomUsedUp extends refusal(z.object({ used: z.int(), limit: z.int() }), {
  code: 'platform.file-room-used-up',
  kind: 'refused',
  title: 'The organisation has no room for this file',
  detail: ({ used, limit }) =>
    `Its files take ${used} of ${limit} bytes. Remove files that are no longer needed.`,
}) {}

export class FileRefused extends refusal(
  z.object({
    /** `program`: its name or its content is one of a program. `quarantine`: the inspection did not let it pass. */
    reason: z.enum(['program', 'quarantine']),
  }),
  {
    code: 'platform.file-refused',
    kind: 'refused',
    title: 'The file is not accepted',
    detail: ({ reason }) =>
      reason === 'program'
        ? 'Programs and scripts that run when they are opened cannot be stored.'
        : 'The inspection found something dangerous in the file. It was not stored.',
  },
) {}

export class FileLinkRefused extends refusal(z.object({}), {
  code: 'platform.file-link-refused',
  kind: 'forbidden',
  title: 'The link to the file is not valid',
  detail: () => 'The link has expired, or it is incomplete. Request a new one.',
}) {}
