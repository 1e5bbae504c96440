import { createServer, type IncomingMessage, request } from 'node:http';
import { type Duplex, duplexPair, pipeline } from 'node:stream';
import { ProxiedRequest } from '../proxied-request.ts';

type Pages = (proxied: ProxiedRequest) => void;

/** Of one connection only (RFC 9113 section 8.2.2); HTTP/2 has other ways for all of them. */
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The gateway's own pages are Express's, which takes only HTTP/1.1's requests (it gives each its own prototype). Over
 * HTTP/2 they are requested through a connection in memory; their speed does not matter.
 */
export function overHttp1(pages: Pages): Pages {
  const outerOf = new WeakMap<object, ProxiedRequest>();
  const server = createServer((req, res) => {
    const outer = outerOf.get(req.socket);
    if (outer === undefined) return void res.destroy();
    const inner = new ProxiedRequest(req, res, outer.requestId, outer.awaitsContinue);
    inner.ownHeaders.splice(0, Number.POSITIVE_INFINITY, ...outer.ownHeaders);
    res.once('close', () => {
      outer.route = inner.route;
      inner.end();
    });
    pages(inner);
  });
  return (proxied) => {
    proxied.res.once('prefinish', () => proxied.allWritten());
    if (proxied.req.httpVersionMajor === 1) return pages(proxied);
    const [near, far] = duplexPair();
    outerOf.set(far, proxied);
    const { remoteAddress, encrypted } = proxied.req.socket as IncomingMessage['socket'] & {
      encrypted?: boolean;
    };
    server.emit('connection', Object.assign(far, { remoteAddress, encrypted }));
    ask(near, proxied);
  };
}

function ask(connection: Duplex, { req, res }: ProxiedRequest): void {
  const asked = request({
    createConnection: () => connection,
    method: req.method ?? '',
    path: req.url ?? '',
    headers: [...plainHeaders(req), 'connection', 'close'],
  });
  const broken = () => res.destroy();
  asked.on('error', broken);
  asked.on('response', (answer) => {
    const headers = Object.entries(answer.headers).filter(([name]) => !ofOneConnection.has(name));
    res.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    pipeline(answer, res, (error) => error && broken());
  });
  res.once('close', () => connection.destroy());
  req.pipe(asked);
}

function plainHeaders({ rawHeaders, headers }: IncomingMessage): string[] {
  const authority = headers[':authority'];
  const plain = typeof authority === 'string' ? ['host', authority] : [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const isHost = name === 'host' && plain.length > 0;
    if (!name.startsWith(':') && !isHost) plain.push(name, rawHeaders[at + 1] as string);
  }
  return plain;
}
