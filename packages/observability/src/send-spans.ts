import type { Tracer } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

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

const exportTimeoutMs = 3_000;

/** A tracer whose spans go to an OTLP receiver. */
export function sendSpans(
  options: TracingOptions & { readonly endpoint: string },
): Tracing & { readonly tracer: Tracer } {
  const { endpoint, service, sampleRatio = 1, onLoss } = options;
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
  return {
    tracer: provider.getTracer('marimo'),
    // Rejects when the receiver is away; onLoss has told, and spans are no reason to stop badly.
    close: () => provider.shutdown().catch(() => {}),
  };
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
