import type { identity } from '@marimo/contracts/users';
import { html } from './html.ts';

export interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Said {
  readonly subject: string;
  /** Whom it greets. */
  readonly name: string;
  readonly before: readonly string[];
  /** Where it leads, between the paragraphs before and those after. */
  readonly url?: string;
  readonly after?: readonly string[];
}

/** A short letter of paragraphs and at most one link, as text and as HTML that says the same. */
export function letterOf(
  language: identity.Language,
  { subject, name, before, url, after = [] }: Said,
): Letter {
  const greeting = language === 'ru' ? `Здравствуйте, ${name}!` : `Hello ${name},`;
  const link = url === undefined ? [] : [url];
  const paragraphs = [greeting, ...before].map((text) => html`<p>${text}</p>`);
  const linked = link.map((address) => html`<p><a href="${address}">${address}</a></p>`);
  const rest = after.map((text) => html`<p>${text}</p>`);
  return {
    subject,
    text: `${[greeting, ...before, ...link, ...after].join('\n\n')}\n`,
    html: `${['<!doctype html>', `<html lang="${language}">`, ...paragraphs, ...linked, ...rest, '</html>'].join('\n')}\n`,
  };
}
