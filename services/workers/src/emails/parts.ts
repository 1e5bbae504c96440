import { join } from 'node:path';
import { type Deps, type Environment, readVariables, url } from '@marimo/service-kit';
import { z } from 'zod';
import { filePostbox, type Postbox, smtpPostbox } from './postbox.ts';

export interface EmailSettings {
  /** Unset: mail is kept as files. */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
}

export interface EmailParts {
  readonly postbox: Postbox;
}

const Variables = z.object({
  SMTP_URL: url('smtp', 'smtps').optional(),
  MAIL_FROM: z.string().default('Marimo ERP <no-reply@marimo.local>'),
});

export function emailSettings(env: Environment): EmailSettings {
  const { SMTP_URL: smtpUrl, MAIL_FROM: mailFrom } = readVariables(Variables, env);
  return { smtpUrl, mailFrom };
}

export function emailParts({ settings, log }: Deps, { smtpUrl, mailFrom }: EmailSettings): EmailParts {
  const postbox =
    smtpUrl === undefined
      ? filePostbox(join(settings.home, 'mail'), mailFrom, log)
      : smtpPostbox(smtpUrl, mailFrom);
  return { postbox };
}
