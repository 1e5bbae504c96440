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
import { ExportResultCode, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { redactText } from './redact.ts';

export interface Tracing {
  /** Sends what is left and stops; gives up after 3 s. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** The receiver's base address, as in OTEL_EXPORTER_OTLP_ENDPOINT; undefined for no tracing. */
  readonly endpoint: string | undefined;
  readonly service: string;
  /** Share of the traces begun here that are kept, 0 to 1; all unless told. A caller's decision is followed. */
  readonly sampleRatio?: number;
  /** Called when the receiver stops taking spans, and again only after it has taken some. */
  readonly onLoss?: (error: Error | undefined) => void;
}

export interface SpanOptions {
  /** `SpanKind.SERVER` for a request taken, `CLIENT` for one made, `PRODUCER` and `CONSUMER` for messages. */
  readonly kind?: SpanKind;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** W3C `traceparent` of the caller or the producer; without one the span continues what runs now. */
  readonly traceparent?: string | undefined;
}

const exportTimeoutMs = 3_000;

// OpenTelemetry's own context and provider are one per process. Several services may share ours, each with a
// service.name of its own, so spans get their context and their tracer by hand.
const running = new AsyncLocalStorage<Context>();
const tracers = new Map<string, Tracer>();
const noTracer = trace.getTracer('off'); // its spans record nothing and keep their parent's ids
const noSpan = noTracer.startSpan('off');

/** Starts sending spans to an OTLP receiver; without an endpoint spans cost next to nothing and go nowhere. */
export function startTracing({ endpoint, service, sampleRatio = 1, onLoss }: TracingOptions): Tracing {
  if (endpoint === undefined) return { close: async () => {} };
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.namespace': 'marimo' }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: onLoss ? reportingLoss(exporter, onLoss) : exporter,
        maxQueueSize: 8_192,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer('marimo');
  tracers.set(service, tracer);
  return {
    close: async () => {
      if (tracers.get(service) === tracer) tracers.delete(service);
      // Rejects when the receiver is away; onLoss has told, and spans are no reason to stop badly.
      await provider.shutdown().catch(() => {});
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

/** A `traceparent` that is not one is ignored, as W3C Trace Context says. */
function continuing(traceparent: string | undefined): Context {
  const now = running.getStore() ?? ROOT_CONTEXT;
  const remote = traceparent === undefined ? null : parseTraceParent(traceparent);
  return remote === null ? now : trace.setSpanContext(now, { ...remote, isRemote: true });
}

function withoutSecrets(thrown: unknown): { name: string; message: string; stack: string } {
  const { name, message, stack = '' } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { name, message: redactText(message), stack: redactText(stack) };
}

function reportingLoss(exporter: SpanExporter, onLoss: (error: Error | undefined) => void): SpanExporter {
  let losing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !losing) onLoss(result.error);
        losing = failed;
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
