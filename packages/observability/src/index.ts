export { currentContext, runInContext, type WorkContext } from './context.ts';
export { createLog, type Log, type LogFields } from './log.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export {
  continueTrace,
  currentTraceparent,
  inSpan,
  type SpanOptions,
  startTracing,
  type Tracing,
} from './trace.ts';
