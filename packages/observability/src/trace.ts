import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { redactText } from './redact.ts';
import type { Tracing, TracingOptions } from './send-spans.ts';

export interface SpanOptions {
  /** `SpanKind.SERVER` for a request taken, `CLIENT` for one made, `PRODUCER` and `CONSUMER` for messages. */
  readonly kind?: SpanKind;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** W3C `traceparent` of the caller or the producer; without one the span continues what runs now. */
  readonly traceparent?: string | undefined;
}

// OpenTelemetry's own context and provider are one per process. Several services may share ours, each with a
// service.name of its own, so spans get their context and their tracer by hand.
const running = new AsyncLocalStorage<Context>();
const tracers = new Map<string, Tracer>();
const noTracer = trace.getTracer('off'); // its spans record nothing and keep their parent's ids
const noSpan = noTracer.startSpan('off');

/**
 * Starts sending spans to an OTLP receiver; without an endpoint spans cost next to nothing and go nowhere, and what would
 * send them, a sixth of all modules of a service, is not loaded.
 */
export async function startTracing({ endpoint, service, ...options }: TracingOptions): Promise<Tracing> {
  if (endpoint === undefined) return { close: async () => {} };
  const { sendSpans } = await import('./send-spans.ts');
  const { tracer, close } = sendSpans({ endpoint, service, ...options });
  tracers.set(service, tracer);
  return {
    close: () => {
      if (tracers.get(service) === tracer) tracers.delete(service);
      return close();
    },
  };
}

/** Runs the work in a span of this service; a throw marks it failed and goes on. */
export function inSpan<T>(
  service: string,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  // With nobody to record it and no trace to go on with, the work runs where it is: the gateway's fastest path.
  if (options.traceparent === undefined && !tracers.has(service)) return work(noSpan);
  return inRecordedSpan(service, name, options, work);
}

async function inRecordedSpan<T>(
  service: string,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { kind = SpanKind.INTERNAL, attributes, traceparent } = options;
  const parent = continuing(traceparent);
  const tracer = tracers.get(service) ?? noTracer;
  const span = tracer.startSpan(
    name,
    { kind, ...(attributes && { attributes: attributes as Attributes }) },
    parent,
  );
  try {
    return await running.run(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.recordException(withoutSecrets(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Runs the work as a continuation of a trace begun elsewhere, without a span of its own. */
export function continueTrace<T>(traceparent: string | undefined, work: () => T): T {
  return traceparent === undefined ? work() : running.run(continuing(traceparent), work);
}

/** The W3C `traceparent` to hand on, or undefined outside a trace. */
export function currentTraceparent(): string | undefined {
  const span = currentSpanContext();
  if (span === undefined) return undefined;
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1).toString(16).padStart(2, '0')}`;
}

/** The ids of what runs now, or undefined outside a trace. */
export function currentSpanContext(): SpanContext | undefined {
  const context = running.getStore();
  const span = context && trace.getSpanContext(context);
  return span && isSpanContextValid(span) ? span : undefined;
}

/** W3C Trace Context, section 3.2: what comes after the flags is for versions after 00. */
const traceparentForm = /^(?!ff|00.{54})[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

/** A `traceparent` that is not one is ignored, as the standard says. */
function continuing(traceparent: string | undefined): Context {
  const now = running.getStore() ?? ROOT_CONTEXT;
  const [, traceId = '', spanId = '', flags = ''] = traceparentForm.exec(traceparent ?? '') ?? [];
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(remote) ? trace.setSpanContext(now, remote) : now;
}

function withoutSecrets(thrown: unknown): { name: string; message: string; stack: string } {
  const { name, message, stack = '' } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { name, message: redactText(message), stack: redactText(stack) };
}
