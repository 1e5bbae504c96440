import { type AnyEndpoint, Unauthenticated } from '@marimo/contracts';
import type { Database, TransactionOptions } from '@marimo/postgres';
import type { Request } from 'express';
import type { Caller, CallingService } from '../caller.ts';
import { keepsAnswers } from '../idempotency/declared.ts';
import { idempotencyKeyOf, onceOnly } from '../idempotency/once-only.ts';
import type { Repeat } from '../idempotency/repeat.ts';
import type { Call } from '../route.ts';
import type { RequestBody } from './body.ts';
import type { CheckedInput } from './validate.ts';

/** Stands for the person where a service acts in nobody's name. */
const nobody = '00000000-0000-0000-0000-000000000000';

interface AdmittedInput extends CheckedInput {
  readonly raw: RequestBody;
  readonly caller: Caller | undefined;
  readonly service: CallingService | undefined;
  readonly requestId: string;
  readonly deadlineAt: number;
  readonly signal: AbortSignal;
}

/** What the handler receives: everything is checked by now. */
export function makeCall(
  endpoint: AnyEndpoint,
  database: Database,
  req: Request,
  given: AdmittedInput,
): Call {
  const { params, query, body, raw, caller, service, requestId, deadlineAt, signal } = given;
  const time: TransactionOptions = { deadlineAt, signal };
  const repeat = repeatOf(endpoint, req, given);
  const tenantId = () => {
    const known = caller?.tenantId ?? service?.tenantId;
    if (known === undefined) throw new Unauthenticated({});
    return known;
  };
  const { access } = endpoint;
  const checked = { params, query, body } as Pick<Call, 'params' | 'query' | 'body'>;

  return {
    ...checked,
    stream: raw.stream,
    contentType: raw.contentType,
    caller,
    service,
    get tenantId() {
      return access === 'public' ? undefined : tenantId();
    },
    requestId,
    address: addressOf(req),
    userAgent: req.get('user-agent') ?? '',
    ifMatch: req.get('if-match'),
    idempotencyKey: idempotencyKeyOf(req),
    deadlineAt,
    signal,
    repeat,
    inTenant: (work) =>
      database.inTenant(tenantId(), repeat === undefined ? work : onceOnly(repeat, work), time),
    readInTenant: (work) =>
      database.inTenant(tenantId(), work, {
        ...time,
        readOnly: true,
        isolation: 'repeatable read', // one moment: a record and its lines, a page and its count
        mayBeStale: endpoint.mayBeStale ?? false,
      }),
    inTenantOf: (id, work) => database.inTenant(id, work, time),
    withoutTenant: (work) => database.withoutTenant(work, time),
  };
}

/** Keys of services are kept apart from those of people, and those of one service from another's. */
function repeatOf(
  endpoint: AnyEndpoint,
  req: Request,
  { caller, service, raw }: AdmittedInput,
): Repeat | undefined {
  const key = idempotencyKeyOf(req);
  if (!keepsAnswers(endpoint)) return undefined;
  const { method, path } = endpoint;
  const content = [req.params, req.query, raw.json];
  const route = `${method} ${path}`;
  if (caller !== undefined) return { key, userId: caller.userId, route, content };
  if (service === undefined) return undefined;
  return { key, userId: service.authorId ?? nobody, route: `${route} by ${service.name}`, content };
}

/** For the log only. The gateway writes the header anew; behind nothing, anybody can write it. */
function addressOf(req: Request): string {
  return req.get('x-forwarded-for')?.split(',', 1)[0]?.trim() ?? req.socket.remoteAddress ?? '';
}
