import { constants } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { MalformedRequest, newId } from '@marimo/contracts';
import { refuseOnSocket } from '../answer.ts';
import type { Certificate, CertificatePair } from './certificate.ts';
import type { Http1 } from './http1.ts';
import type { Http2 } from './http2.ts';
import type { FrontLimits } from './limits.ts';
import type { Front } from './parts.ts';

interface TlsFrontParts {
  readonly http1: Http1;
  readonly http2: Http2;
  readonly certificate: Certificate;
  readonly limits: FrontLimits;
}

/** Every one of them keeps past connections secret when the key is lost later; those of TLS 1.3 all do. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
/** The whole context, also for a renewed certificate: what it leaves out is Node's default again. */
const strict = (pair: CertificatePair): SecureContextOptions => ({
  ...pair,
  minVersion: 'TLSv1.2',
  ciphers,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
});
const firstByteOfHandshake = 0x16; // RFC 8446 section 5.1

/**
 * TLS 1.2 and 1.3, and behind it HTTP/2 or HTTP/1.1, as the handshake (ALPN) says. The first byte tells TLS from all
 * else: a program that speaks plain HTTP here learns its mistake from a problem. It is not redirected: its first
 * request, with its token, went over the wire in the clear, and must be seen to fail.
 */
export function createTlsFront({ http1, http2, certificate, limits }: TlsFrontParts): Front {
  const sockets = new Set<Socket>();
  const tls = createTlsServer(
    {
      ...strict(certificate.pair()),
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: limits.headMs,
    },
    (socket: TLSSocket) => {
      const half = socket.alpnProtocol === 'h2' ? http2.server : http1.server;
      half.emit('connection', socket);
    },
  );
  tls.on('tlsClientError', (_, socket) => socket.destroy());
  certificate.onChange((pair) => tls.setSecureContext(strict(pair)));

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    tellApart(socket, limits.headMs, () => tls.emit('connection', socket));
  });
  // It never listens itself, and begins to watch over slow heads only when it does.
  server.once('listening', () => http1.server.emit('listening'));
  server.once('close', () => http1.server.close());
  return {
    server: Object.assign(server, {
      closeIdleConnections() {
        http1.server.closeIdleConnections();
        http2.endIdle();
      },
      closeAllConnections() {
        for (const socket of sockets) socket.destroy();
      },
    }),
    drain() {
      http1.announceEnd();
      http2.announceEnd();
    },
    close: () => certificate.close(),
  };
}

function tellApart(socket: Socket, withinMs: number, startTls: () => void): void {
  const gone = () => socket.destroy();
  const tooLate = setTimeout(gone, withinMs);
  socket.once('error', gone);
  socket.once('close', () => clearTimeout(tooLate));
  socket.once('readable', () => {
    clearTimeout(tooLate);
    const first: Buffer | null = socket.read(1);
    if (first === null) return gone();
    socket.unshift(first);
    if (first[0] === firstByteOfHandshake) return startTls();
    const errors = [{ pointer: 'request', detail: 'this port speaks TLS: use https' }];
    refuseOnSocket(socket, new MalformedRequest({ errors }), newId());
  });
}
