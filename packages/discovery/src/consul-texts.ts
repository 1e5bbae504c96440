import type Consul from 'consul';
import type { SharedTexts } from './registry.ts';

interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

/** In Consul's key-value store, below one key of ours. */
export function consulTexts({ kv }: Consul, root = 'marimo/'): SharedTexts {
  return {
    async read(key) {
      const entry = (await kv.get(root + key)) as Entry | undefined;
      return entry && { text: entry.Value ?? '', mark: entry.ModifyIndex };
    },
    async replace(key, text, mark = 0) {
      return isDone(await kv.set({ key: root + key, value: text, cas: mark })); // 0: only where nothing is
    },
    async put(key, text) {
      isDone(await kv.set({ key: root + key, value: text }));
    },
    async below(key) {
      const entries = ((await kv.get({ key: root + key, recurse: true })) ?? []) as readonly Entry[];
      return new Map(entries.map(({ Key, Value }) => [Key.slice(root.length + key.length), Value ?? '']));
    },
  };
}

/** The library makes undefined of Consul's `false`. */
function isDone(answer: unknown): boolean {
  if (typeof answer === 'object')
    throw new Error('Consul did not say whether it keeps a text', { cause: answer });
  return answer === true;
}
