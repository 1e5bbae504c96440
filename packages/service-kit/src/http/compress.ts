import { constants } from 'node:zlib';
import compression from 'compression';
import type { RequestHandler, Response } from 'express';

/** Below this a reply fits into a few packets and compressing it only costs time. */
const fromBytes = 16 * 1024;

/**
 * Compresses long replies, each piece as it is written. This is the one place where the platform compresses: a gateway
 * passes on what a service sends. Not for replies that may hold secrets, nor beside a cookie: where an attacker can
 * choose other text of a reply, its compressed length gives the secret away (BREACH).
 */
export function compressReplies(mayHoldSecrets: (res: Response) => boolean): RequestHandler {
  return compression({
    threshold: fromBytes,
    level: 1,
    flush: constants.Z_SYNC_FLUSH,
    brotli: { flush: constants.BROTLI_OPERATION_FLUSH },
    filter: (req, res) => !mayHoldSecrets(res) && !isExempt(res) && compression.filter(req, res),
  });
}

function isExempt(res: Response): boolean {
  const contentType = res.getHeader('content-type');
  return res.hasHeader('set-cookie') || /^text\/event-stream/i.test(contentType as string);
}
