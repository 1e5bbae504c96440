export { type MemoryCacheOptions, memoryCache } from './memory.ts';
export { type RedisCacheOptions, redisCache } from './redis.ts';
export type {
  BucketAnswer,
  BucketLevel,
  BucketLimit,
  BucketsAnswer,
  Cache,
  Lease,
  WantedTokens,
  WrapOptions,
} from './store.ts';
