import { inSpan, type Log, runInContext, SpanKind } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { Refusal } from '@marimo/problems';
import type { Request, RequestHandler, Response } from 'express';
import type { TokenVerifier } from '../caller.ts';
import type { AnyReply, Route } from '../route.ts';
import { admit } from './admit.ts';
import { readBody } from './body.ts';
import { makeCall } from './call.ts';
import { CallerGone, deadlineOf, withinDeadline } from './exchange.ts';
import { sendProblem, sendReply } from './send.ts';
import { checkInput } from './validate.ts';

export interface Serving {
  readonly service: string;
  readonly database: Database;
  readonly verifier: TokenVerifier;
  readonly log: Log;
}

/** Answers one endpoint. The order is the promise: who you are, what you may, what you sent, and only then the work. */
export function answer(route: Route, serving: Serving): RequestHandler {
  const { method, path } = route.endpoint;
  return async (req, res) => {
    const { exchange } = res.locals;
    exchange.route = path;
    const traceparent = req.get('traceparent');
    const options = { kind: SpanKind.SERVER, traceparent, attributes: { 'http.route': path } };
    await runInContext({ requestId: exchange.requestId }, () =>
      inSpan(serving.service, `${method} ${path}`, options, () => work(route, serving, req, res)),
    ).catch((thrown: unknown) => sendProblem(req, res, thrown));
  };
}

async function work(route: Route, serving: Serving, req: Request, res: Response): Promise<void> {
  try {
    const deadlineAt = deadlineOf(req, route.endpoint.deadlineMs);
    const reply = await withinDeadline(deadlineAt, res, (signal) =>
      handleCall(route, serving, req, res, { deadlineAt, signal }),
    );
    sendReply(req, res, reply);
  } catch (thrown) {
    if (thrown instanceof CallerGone) return; // there is nobody to answer
    if (!(thrown instanceof Refusal)) {
      serving.log.error('a request failed', { route: route.endpoint.path, error: thrown });
      throw thrown; // so that its span is marked as failed
    }
    sendProblem(req, res, thrown);
  }
}

async function handleCall(
  route: Route,
  serving: Serving,
  req: Request,
  res: Response,
  time: { readonly deadlineAt: number; readonly signal: AbortSignal },
): Promise<AnyReply> {
  const { endpoint, handler } = route;
  const caller = await admit(endpoint.access, req, serving.verifier);
  const { requestId } = res.locals.exchange;
  const who = caller && { tenantId: caller.tenantId, actorId: caller.userId };
  return runInContext({ requestId, ...who }, async () => {
    const raw = await readBody(endpoint, req, res);
    const input = checkInput(endpoint, { params: req.params, query: req.query, json: raw.json });
    return handler(makeCall(endpoint, serving.database, req, { ...input, ...time, raw, caller, requestId }));
  });
}
