import { type AnyEndpoint, parseKnownFields } from '@marimo/contracts';
import { z } from 'zod';
import type { SagaDefinition, SagaView } from './define.ts';
import type { SagaRecord } from './saga.ts';

/** A reply as it is kept: as it came over the wire, so that a later version reads it by its own contract. */
interface KeptReply {
  readonly status: number;
  readonly body: unknown;
}

export function keptReply(command: AnyEndpoint, reply: KeptReply): KeptReply {
  const schema = command.replies[reply.status];
  return { status: reply.status, body: schema === undefined ? null : z.encode(schema, reply.body) };
}

type Viewed = Pick<SagaRecord, 'sagaId' | 'tenantId' | 'startedBy' | 'input' | 'steps'>;

export function viewOf(
  { sagaId, tenantId, startedBy, input, steps }: Viewed,
  definition: SagaDefinition,
): SagaView<never> {
  const resultOf = (name: string) => {
    const step = steps.find((each) => each.name === name);
    if (step === undefined || step.result === null) throw new Error(`${name} has no result yet`);
    return step.result;
  };
  const view: SagaView<unknown> = {
    sagaId,
    tenantId,
    startedBy: startedBy ?? undefined,
    input: parsed(definition.input, input),
    replyOf(name, command) {
      const { status, body } = resultOf(name) as KeptReply;
      const schema = command.replies[status];
      if (schema === undefined) throw new Error(`${name} was not done by ${command.path}`);
      return parsed(schema, body) as never;
    },
    resultOf: (name, schema) => parsed(schema, (resultOf(name) as { value: unknown }).value),
  };
  return view as SagaView<never>; // what `input` parsed it to is what the steps were declared with
}

function parsed<S extends z.ZodType>(schema: S, json: unknown): z.output<S> {
  const fit = parseKnownFields(schema, json);
  if (!fit.success) throw fit.error;
  return fit.data as z.output<S>;
}
