import { createHash, timingSafeEqual } from 'node:crypto';
import { TooManyRequests, Unauthenticated } from '@marimo/contracts';
import { type Caller, sendProblem, type TokenVerifier } from '@marimo/service-kit';
import type { RequestHandler } from 'express';
import { throttle } from './throttle.ts';

/** An operator belongs to no organisation; a lookup by this id finds nothing. */
const noOrganisation = '00000000-0000-0000-0000-000000000000';

export type IsOperator = (bearer: string) => boolean;

/** Compares digests: of one length, so that it takes the same time whatever is right about what was sent. */
export function operatorToken(token: string): IsOperator {
  const expected = digest(token);
  return (bearer) => timingSafeEqual(digest(bearer), expected);
}

/** Accepts the one token of the operators. */
export function operatorVerifier(isOperator: IsOperator): TokenVerifier {
  return {
    verifyService: () => Promise.reject(new Unauthenticated({})), // services have no access here
    async verify(bearer): Promise<Caller> {
      if (!isOperator(bearer)) throw new Unauthenticated({});
      return {
        userId: noOrganisation,
        tenantId: noOrganisation,
        sessionId: noOrganisation,
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
 * Throttles addresses that send wrong tokens. Never the right token: it is too long to be guessed, and a third party
 * that sends wrong ones from an operator's address must not lock the operator out.
 */
export function throttleWrongTokens(isOperator: IsOperator): RequestHandler {
  const failures = throttle();
  return (req, res, next) => {
    const place = req.socket.remoteAddress ?? '';
    const waitMs = failures.waitMs(place);
    if (waitMs > 0 && !isOperator(bearerIn(req.headers.authorization))) {
      const retryAfterSeconds = Math.ceil(waitMs / 1000);
      return sendProblem(req, res, new TooManyRequests({ limit: 10 }, { retryAfterSeconds }));
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
