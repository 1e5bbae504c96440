import type { Span, SpanKind } from '@opentelemetry/api';

export interface Tracing {
  /** Sends what is left and stops. */
  close(): Promise<void>;
}

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** W3C `traceparent` of the caller or the producer; without one the span continues what runs now. */
  readonly traceparent?: string | undefined;
}

/** Starts sending spans to an OTLP receiver; without an endpoint spans cost next to nothing and go nowhere. */
export declare function startTracing(options: {
  endpoint: string | undefined;
  service: string;
  sampleRatio?: number;
}): Tracing;

/** Runs the work in a span of this service; a throw marks it failed and goes on. */
export declare function inSpan<T>(
  service: string,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T>;

/** Runs the work as a continuation of a trace begun elsewhere, without a span of its own. */
export declare function continueTrace<T>(traceparent: string | undefined, work: () => T): T;

/** The W3C `traceparent` to hand on, or undefined outside a trace. */
export declare function currentTraceparent(): string | undefined;
