export { type CachedRead, ResponseCache, type ResponseCacheParts } from './response-cache.ts';
