export type { BucketAnswer, BucketLimit, Cache, Lease, WrapOptions } from './store.ts';
