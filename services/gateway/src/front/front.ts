import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import { limitsUnlessTold } from './limits.ts';
import type { Front, FrontParts } from './parts.ts';
import { createTlsFront } from './tls.ts';

/** The listener of the gateway: everything that arrives becomes a proxied, or is answered on the bare socket. */
export function createFront(parts: FrontParts): Front {
  const limits = { ...limitsUnlessTold, ...parts.limits };
  const http1 = createHttp1(parts, limits);
  if (parts.certificate === undefined) return { server: http1.server, drain: http1.announceEnd, close() {} };
  return createTlsFront({ http1, http2: createHttp2(parts, limits), certificate: parts.certificate, limits });
}
