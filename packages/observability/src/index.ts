export { SpanKind } from '@opentelemetry/api';
export { boundCounter, boundHistogram } from './bound.ts';
export { currentContext, runInContext, type WorkContext, type WorkCost } from './context.ts';
export { createLog, type Log, type LogFields, type LogOptions } from './log.ts';
export { createMetrics, type Metrics, measureProcess } from './metrics.ts';
export { redact } from './redact.ts';
export { type PeriodicOptions, runPeriodically } from './run-periodically.ts';
export type { Tracing, TracingOptions } from './send-spans.ts';
export { continueTrace, currentTraceparent, inSpan, type SpanOptions, startTracing } from './trace.ts';
