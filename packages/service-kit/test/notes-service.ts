import { setTimeout as pause } from 'node:timers/promises';
import { endpoint, event, permission } from '@marimo/contracts';
import { refusal } from '@marimo/problems';
import { z } from 'zod';
import { defineService, handle, reply, type TokenVerifier } from '../src/index.ts';
import type { ServiceDeclaration } from '../src/service.ts';

/** A service as small as can be, for the tests of the kit. It borrows the name of a real one. */
const mayWrite = permission('config.note.write', { en: 'Write notes', ru: 'Писать заметки' });

export class NoteTooRude extends refusal(z.object({ word: z.string() }), {
  code: 'config.note-too-rude',
  kind: 'refused',
  title: 'The note is too rude',
  detail: ({ word }) => `Leave out "${word}".`,
}) {}

const Note = z.strictObject({ id: z.uuid(), text: z.string() });

export const writeNote = endpoint({
  method: 'POST',
  path: '/api/v1/config/notes',
  summary: 'Writes a note.',
  access: mayWrite,
  body: z.strictObject({
    text: z.string().max(200),
    pauseMs: z.int().max(5_000).default(0),
    extra: z.record(z.string(), z.int()).optional(),
  }),
  replies: { 201: Note },
  refusals: [NoteTooRude],
});

export const copyNotes = endpoint({
  method: 'POST',
  path: '/api/v1/config/note-copies',
  summary: 'Copies all notes; doing it again does no harm.',
  access: mayWrite,
  repeat: 'natural',
  replies: { 200: z.strictObject({ copied: z.int() }) },
});

export const forgetReply = endpoint({ ...writeNote, path: '/api/v1/config/forgotten-replies' });

export const sleepInDatabase = endpoint({
  method: 'GET',
  path: '/api/v1/config/sleep',
  summary: 'Keeps the database busy.',
  access: 'signed-in',
  query: z.strictObject({ seconds: z.coerce.number().max(60) }),
  replies: { 200: z.strictObject({ slept: z.boolean() }) },
});

const nobody = () => Promise.reject(new Error('nobody'));
export const trustsNobody: TokenVerifier = { verify: nobody, verifyService: nobody };

export const noteWritten = event('config.note-written.v1', z.strictObject({ text: z.string() }));

const declaration: ServiceDeclaration<undefined, undefined> = {
  name: 'config',
  migrations: new URL('./migrations/', import.meta.url),
  routes: [
    ({ outbox }) => [
      handle(writeNote, (call) =>
        call.inTenant(async (tx) => {
          const { text, pauseMs } = call.body;
          const insert = 'insert into note (tenant_id, text) values ($1, $2) returning id, text';
          const note = await tx.first<z.infer<typeof Note>>(insert, [tx.tenantId, text]);
          if (note === undefined) throw new Error('nothing was written');
          await outbox.add(tx, noteWritten, note.id, { text });
          await pause(pauseMs);
          if (text.includes('damn')) throw new NoteTooRude({ word: 'damn' });
          return reply(201, note, { location: `/api/v1/config/notes/${note.id}` });
        }),
      ),
      handle(copyNotes, (call) =>
        call.inTenant(async (tx) => {
          const copied = await tx.run('insert into note (tenant_id, text) select tenant_id, text from note');
          return reply(200, { copied });
        }),
      ),
      handle(forgetReply, async (call) => {
        const id = await call.inTenant(async () => '01920000-0000-7000-8000-000000000001');
        return reply(201, { id, text: call.body.text });
      }),
      handle(sleepInDatabase, (call) =>
        call.readInTenant(async (tx) => {
          await tx.rows('select pg_sleep($1)', [call.query.seconds]);
          return reply(200, { slept: true });
        }),
      ),
    ],
  ],
};

export const notes = defineService(declaration);
/** Lets nobody in, and needs no `users` for it. */
export const notesAlone = defineService({ ...declaration, verifier: () => trustsNobody });
