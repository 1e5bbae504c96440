import { z } from 'zod';

/** `<service>.<what-happened>.v<version>`, past tense: `accounting.journal-entry-posted.v1`. */
export type EventType = `${string}.${string}.v${number}`;

export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  readonly type: EventType;
  readonly data: Data;
}

/** A breaking change is a new version beside the old, published until the last consumer has moved. */
export function event<Data extends z.ZodType>(type: EventType, data: Data): EventDefinition<Data> {
  return { type, data };
}

/**
 * What travels: CloudEvents 1.0 attributes (cloudevents.io) and our extensions in lower case without dashes, as the
 * specification wants. `subject` is the id of the thing the event is about; `tenantid` is never taken from `data`.
 */
export const Envelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.uuid(),
  source: z.string(), // the service: /services/accounting
  type: z.string(),
  subject: z.string(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  tenantid: z.uuid(),
  /** The person or the service account whose request caused it; absent for work a service began itself. */
  actorid: z.uuid().optional(),
  requestid: z.string().optional(),
  traceparent: z.string().optional(),
  data: z.json(),
});
export type Envelope = z.infer<typeof Envelope>;

export type EventData<E extends EventDefinition> = z.output<E['data']>;
