import { Absent } from '@marimo/contracts';

/** What was found; throws `Absent` where it was not. `resource` as a person would name it: `journal entry`. */
export function requireFound<T>(found: T | undefined, resource: string): T {
  if (found === undefined) throw new Absent({ resource });
  return found;
}
