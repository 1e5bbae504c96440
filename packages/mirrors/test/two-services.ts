import { type Envelope, Unavailable } from '@marimo/contracts';
import { Refusal } from '@marimo/problems';
import type { ServiceClient } from '@marimo/resilience';
import { type ServiceUnderTest, useService } from '@marimo/testing';
import { partnerService, partners, toolService } from '@marimo/testing/records';

type PartnerEvent = typeof partners.created;
const events: readonly PartnerEvent[] = [partners.created, partners.changed, partners.blocked];

export interface TwoServices {
  /** Has the partners. */
  readonly main: ServiceUnderTest;
  /** Has tools, which refer to partners, and a mirror of partners. */
  readonly config: ServiceUnderTest;
  /** As the tool service calls the other. */
  readonly client: Pick<ServiceClient, 'call'>;
  /** What the tool service has asked the other for, oldest first. */
  readonly asked: { readonly after?: string; readonly ids?: string; readonly changedFrom?: string }[];
  /** True: the other service cannot be called. */
  isAway: boolean;
  /** What happened to partners of this organisation, oldest first. */
  eventsOf(tenantId: string): Promise<Envelope[]>;
  /** Hands them to the tool service. */
  deliver(envelopes: readonly Envelope[]): Promise<void>;
}

/** Two services of one platform; what one tells the other waits until the test delivers it. */
export function useTwoServices({ background = true } = {}): TwoServices {
  const asked: Readonly<Record<string, string>>[] = [];
  const call = async (...[endpoint, input]: Parameters<ServiceClient['call']>) => {
    if (two.isAway) throw new Unavailable({ service: 'main' });
    asked.push(input.query as Record<string, string>);
    const answer = await two.main.call(endpoint, input, { asService: 'config' });
    const { problem } = answer;
    if (problem === undefined) return { status: answer.status, body: answer.body };
    const { code, title } = problem;
    throw new Refusal({ code, title, kind: 'forbidden', detail: () => title }, {});
  };
  const client = { call } as unknown as Pick<ServiceClient, 'call'>;
  const two: TwoServices = {
    main: useService(partnerService),
    config: useService(toolService, { client, background }),
    client,
    asked,
    isAway: false,
    async eventsOf(tenantId) {
      return (await two.main.events()).filter((envelope) => envelope.tenantid === tenantId);
    },
    async deliver(envelopes) {
      for (const { id, type, data, tenantid: tenantId } of envelopes) {
        const event = events.find((one) => one.type === type) as PartnerEvent;
        await two.config.deliver(event, { id, tenantId, data: event.data.parse(data) });
      }
    },
  };
  return two;
}
