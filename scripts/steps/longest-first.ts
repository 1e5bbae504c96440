import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './run.ts';

interface TestFile {
  readonly path: string;
}

/**
 * Begins with what took longest the last time, so that no worker is left with a long file at the end. In a clean clone
 * that is what starts the whole platform, then the longest files.
 */
export default class LongestFirst {
  sort<T extends TestFile>(tests: readonly T[]): T[] {
    const took = lastTime();
    const msOf = ({ path }: TestFile) => took.get(relative(root, path)) ?? guessedMs(path);
    return tests.toSorted((one, other) => msOf(other) - msOf(one));
  }

  allFailedTests<T extends TestFile>(tests: readonly T[]): T[] {
    return [...tests];
  }

  cacheResults(): void {
    // `npm test` keeps them.
  }
}

function lastTime(): ReadonlyMap<string, number> {
  const file = join(root, '.runtime/test-times.json');
  return new Map(existsSync(file) ? Object.entries(JSON.parse(readFileSync(file, 'utf8'))) : []);
}

function guessedMs(path: string): number {
  const startsPlatform = /\/scripts\/(guards|chaos|start|new-service)\//.test(path);
  return (startsPlatform ? 60_000 : 0) + statSync(path).size / 10;
}
