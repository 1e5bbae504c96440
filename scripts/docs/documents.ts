import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../steps/run.ts';
import { marker, pages } from './pages.ts';

/** Writes the generated part of each page; returns the paths that were not up to date. */
export function writeDocuments(): string[] {
  const outdated = outdatedDocuments();
  for (const { path, wanted } of outdated) writeFileSync(join(root, path), wanted);
  return outdated.map(({ path }) => path);
}

/** A complaint for each page that does not say what the contracts declare. */
export function checkDocuments(): string[] {
  return outdatedDocuments().map(({ path }) => `${path} is not up to date: run npm run docs`);
}

function outdatedDocuments(): { path: string; wanted: string }[] {
  return Object.entries(pages).flatMap(([path, generated]) => {
    const written = readFileSync(join(root, path), 'utf8');
    const [byHand, ...rest] = written.split(marker);
    if (rest.length !== 1) throw new Error(`${path} must hold the line ${marker} once`);
    const wanted = `${byHand}${marker}\n${generated()}`;
    return wanted === written ? [] : [{ path, wanted }];
  });
}
