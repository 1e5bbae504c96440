import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  status: { code: number };
  attributes: { key: string; value: unknown }[];
  events: unknown[];
}

/** A receiver of OTLP over HTTP with JSON, as collectors and Jaeger have. */
export class OtlpReceiver {
  readonly spans: (SentSpan & { service: string })[] = [];
  /** What it answers; anything but 200 loses the spans. */
  status = 200;
  readonly #server: Server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      if (req.url === '/v1/traces' && this.status === 200) this.#take(Buffer.concat(parts).toString());
      res.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  /** Resolves with its base address, as `OTEL_EXPORTER_OTLP_ENDPOINT` has it. */
  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
  #take(body: string): void {
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: {
        resource: { attributes: { key: string; value: { stringValue: string } }[] };
        scopeSpans: { spans: SentSpan[] }[];
      }[];
    };
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => ({ ...span, service })));
    }
  }
}
