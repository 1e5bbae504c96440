import { createHash, timingSafeEqual } from 'node:crypto';
import { TooManyRequests, Unauthenticated } from '@marimo/contracts';
import { problemContentType, type Refusal, toProblem } from '@marimo/problems';
import type { Caller, TokenVerifier } from '@marimo/service-kit';
import type { RequestHandler } from 'express';
import { throttle } from './throttle.ts';

/** An operator belongs to no organisation; what asks for one finds nothing. */
const nobody = '00000000-0000-0000-0000-000000000000';

export type IsOperator = (bearer: string) => boolean;

/** Compares digests: of one length, so that it takes the same time whatever is right about what was sent. */
export function operatorToken(token: string): IsOperator {
  const expected = digest(token);
  return (bearer) => timingSafeEqual(digest(bearer), expected);
}

/** Believes the one token operators have. */
export function operatorVerifier(isOperator: IsOperator): TokenVerifier {
  return {
    verifyService: () => Promise.reject(new Unauthenticated({})), // no service asks anything here
    async verify(bearer): Promise<Caller> {
      if (!isOperator(bearer)) throw new Unauthenticated({});
      return {
        userId: nobody,
        tenantId: nobody,
        sessionId: nobody,
        roles: [],
        grants: [],
        permissionsVersion: 'operator',
        authenticatedAt: new Date(), // the token is the proof, with each request
        methods: [],
        bearer,
        may: () => false,
      };
    },
  };
}

/**
 * Slows down who fails too often. Never the right token: it is too long to be guessed, and whoever can send wrong ones
 * from an operator's address would lock the operator out just when it matters.
 */
export function turnAwayWhoFails(isOperator: IsOperator): RequestHandler {
  const failures = throttle();
  return (req, res, next) => {
    const place = req.socket.remoteAddress ?? '';
    const waitMs = failures.waitMs(place);
    if (waitMs > 0 && !isOperator(bearerIn(req.headers.authorization))) {
      const retryAfterSeconds = Math.ceil(waitMs / 1000);
      const refusal: Refusal = new TooManyRequests({ limit: 10 }, { retryAfterSeconds });
      const text = JSON.stringify(toProblem(refusal, res.locals.exchange.requestId));
      res.status(429).set({ 'retry-after': String(retryAfterSeconds), 'cache-control': 'no-store' });
      res.type(problemContentType).end(text);
      return;
    }
    res.once('finish', () => {
      if (res.statusCode === 401) failures.failed(place);
    });
    next();
  };
}

function bearerIn(authorization = ''): string {
  return authorization.replace(/^bearer +/i, '');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
