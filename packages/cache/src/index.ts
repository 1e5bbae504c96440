export { type MemoryCacheOptions, memoryCache } from './memory.ts';
export { type RedisCacheOptions, redisCache } from './redis.ts';
export type { BucketAnswer, BucketLimit, Cache, Lease, WrapOptions } from './store.ts';
