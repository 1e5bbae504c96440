import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@marimo/observability';
import nodemailer from 'nodemailer';
import type { EmailToSend } from './store.ts';

/** Where mail goes: a mail server, or files. */
export interface Postbox {
  /** Rejects when it was not accepted; the same mail may be handed in again. */
  send(email: EmailToSend): Promise<void>;
  /** Lets go of connections. */
  close(): void;
}

/** The server refuses this mail for good; trying again would only annoy it. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused';
}

/** Longer than any server takes, shorter than `takenForMs` in `sender.ts`: who was given up must not send any more. */
const timeouts = { connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 60_000 };

export function smtpPostbox(url: string, from: string): Postbox {
  const transport = nodemailer.createTransport({ url, pool: true, maxConnections: 5, ...timeouts });
  return {
    async send(email) {
      try {
        await transport.sendMail(messageOf(email, from));
      } catch (error) {
        if (isFinal(error)) throw new MailRefused((error as Error).message, { cause: error });
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

/** A 5xx about this mail or its recipient; one about our login, our own address or the connection is ours to mend. */
function isFinal(error: unknown): boolean {
  const {
    code,
    command,
    responseCode = 0,
  } = error as {
    code?: string;
    command?: string;
    responseCode?: number;
  };
  const isAboutMail = code === 'EMESSAGE' || (code === 'EENVELOPE' && command !== 'MAIL FROM');
  return isAboutMail && responseCode >= 500 && responseCode < 600;
}

/** Without a mail server each mail becomes a file: whole or not at all, and the same one however often it is sent. */
export function filePostbox(folder: string, from: string, log: Log): Postbox {
  const composer = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return {
    async send(email) {
      const { message } = await composer.sendMail(messageOf(email, from));
      const name = `${email.createdAt.toISOString().replaceAll(':', '-')}-${email.emailId}.eml`;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const unfinished = join(folder, `.${name}.part`);
      const file = await open(unfinished, 'w', 0o600);
      try {
        await file.writeFile(message as Buffer);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, join(folder, name));
      log.info('mail kept as a file; set SMTP_URL to send it', { to: masked(email.recipient), file: name });
    },
    close: () => composer.close(),
  };
}

function messageOf(
  { emailId, recipient, recipientName, subject, text, html, createdAt }: EmailToSend,
  from: string,
) {
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'marimo.invalid';
  return {
    from,
    // As parts, never as one text to be taken apart: a name cannot become a second address.
    to: { name: recipientName, address: recipient },
    subject,
    text,
    html,
    date: createdAt,
    messageId: `<${emailId}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Enough to recognise one's own, too little to write to. */
function masked(address: string): string {
  return address.replace(/^(.).*@/su, '$1***@');
}
