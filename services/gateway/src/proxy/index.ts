export { CanaryWeight, mistakesInWeights } from './canary.ts';
export { type Forward, forwarder } from './forward.ts';
export { bodyShape, readHeld } from './request-body.ts';
export {
  type ClientHeaders,
  headerLimitBytes,
  headerLimitCount,
  readClientHeaders,
} from './request-headers.ts';
export { type HeaderList, protection } from './response-headers.ts';
export { type Knowledge, type Upstream, Upstreams } from './upstreams.ts';
