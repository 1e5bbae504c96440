import type { Fields } from './fields.ts';
import { RecordLabels } from './labels.ts';
import type { AnyRecord } from './record.ts';

/** What a record's file of labels lacks, or names without being asked; empty when it is complete. */
export function labelMistakes(record: AnyRecord): string[] {
  const { labels, fields, states, transitions } = record;
  const malformed = RecordLabels.safeParse(labels).error?.issues ?? [];
  return [
    ...malformed.map(({ path, message }) => `${record.fullName} ${path.join('.')}: ${message}`),
    ...compared(record, 'fields', Object.keys(fields), labels.fields),
    ...compared(record, 'states', states, labels.states),
    ...compared(record, 'transitions', Object.keys(transitions), labels.transitions),
    ...Object.entries(fields as Fields).flatMap(([name, { options = [] }]) =>
      compared(record, `fields.${name}.options`, options, labels.fields[name]?.options),
    ),
  ];
}

function compared(
  { fullName }: AnyRecord,
  place: string,
  wanted: readonly string[],
  found: Readonly<Record<string, unknown>> = {},
): string[] {
  const missing = wanted
    .filter((name) => !(name in found))
    .map((name) => `${fullName} ${place}.${name} is missing`);
  const superfluous = Object.keys(found).filter((name) => !wanted.includes(name));
  return [...missing, ...superfluous.map((name) => `${fullName} ${place}.${name} names nothing`)];
}
