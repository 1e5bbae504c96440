import { isFileContent } from '@marimo/contracts';
import { currentTraceparent, inSpan, type Log, runInContext, SpanKind } from '@marimo/observability';
import type { Database } from '@marimo/postgres';
import { Refusal, statusOf } from '@marimo/problems';
import type { Request, RequestHandler, Response } from 'express';
import type { TokenVerifier } from '../caller.ts';
import type { AnyReply, Route } from '../route.ts';
import { type Admitted, admit } from './admit.ts';
import { readBody } from './body.ts';
import { makeCall } from './call.ts';
import { CallerGone, deadlineOf, type Exchange, withinDeadline } from './exchange.ts';
import { sendProblem, sendReply } from './send.ts';
import { BrokenOff, sendContent } from './send-content.ts';
import { checkInput } from './validate.ts';

export interface Serving {
  readonly service: string;
  readonly database: Database;
  readonly verifier: TokenVerifier;
  readonly log: Log;
  readonly clock: () => Date;
}

/** Answers one endpoint. The order is the promise: who you are, what you may, what you sent, and only then the work. */
export function answer(route: Route, serving: Serving): RequestHandler {
  const { method, path, polled = false, repeat } = route.endpoint;
  const name = `${method} ${path}`;
  return async (req, res) => {
    const { exchange } = res.locals;
    exchange.route = path;
    exchange.quiet = polled;
    exchange.secret = repeat === 'natural';
    const attributes = { 'http.request.method': method, 'http.route': path };
    const options = { kind: SpanKind.SERVER, traceparent: req.get('traceparent'), attributes };
    try {
      const { requestId, cost } = exchange;
      await runInContext({ requestId, cost }, () =>
        inSpan(serving.service, name, options, () => attempt(route, serving, req, res)),
      );
    } catch (thrown) {
      sendProblem(req, res, thrown);
    }
  };
}

/** Throws only what is our fault, so that the span around it is marked as failed. */
async function attempt(route: Route, serving: Serving, req: Request, res: Response): Promise<void> {
  const traceparent = currentTraceparent();
  if (traceparent !== undefined) res.locals.exchange.traceparent = traceparent;
  try {
    const deadlineAt = deadlineOf(req, route.endpoint.deadlineMs);
    const reply = await withinDeadline(deadlineAt, res, (signal) =>
      handleCall(route, serving, req, res, { deadlineAt, signal }),
    );
    if (isFileContent(reply.body)) await sendContent(req, res, { ...reply, body: reply.body });
    else sendReply(req, res, reply);
  } catch (thrown) {
    if (thrown instanceof CallerGone) return; // there is nobody to answer
    if (thrown instanceof BrokenOff) {
      serving.log.warn('a reply broke off in the middle', {
        route: route.endpoint.path,
        error: thrown.cause,
      });
      return;
    }
    const isRefusal = thrown instanceof Refusal;
    if (isRefusal && statusOf(thrown.definition.kind) < 500) return sendProblem(req, res, thrown);
    serving.log[isRefusal ? 'warn' : 'error']('a request failed', {
      route: route.endpoint.path,
      error: thrown,
    });
    throw thrown;
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
  const { caller, service } = await admit(endpoint, req, serving);
  const { exchange } = res.locals;
  const { requestId } = exchange;
  exchange.who = whoOf({ caller, service });
  return runInContext({ requestId, ...exchange.who }, async () => {
    const raw = await readBody(endpoint, req, res);
    const input = checkInput(endpoint, { params: req.params, query: req.query, json: raw.json });
    return handler(
      makeCall(endpoint, serving.database, req, { ...input, ...time, raw, caller, service, requestId }),
    );
  });
}

/** An event of this work names the person as its actor, also one in whose name a service acts; a service is none. */
function whoOf({ caller, service }: Admitted): Exchange['who'] {
  if (caller !== undefined) return { tenantId: caller.tenantId, actorId: caller.userId };
  if (service === undefined) return undefined;
  const { name: callingService, tenantId, authorId: actorId } = service;
  return {
    callingService,
    ...(tenantId !== undefined && { tenantId }),
    ...(actorId !== undefined && { actorId }),
  };
}
