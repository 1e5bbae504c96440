import { Readable } from 'node:stream';

export function inChunks(file: string | Buffer, size = 7): AsyncIterable<Buffer> {
  const bytes = Buffer.from(file);
  const count = Math.ceil(bytes.length / size);
  return Readable.from(Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size)));
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
