import { newId } from '@marimo/contracts';
import type { Failpoint } from '@marimo/messaging';
import { createLog, createMetrics } from '@marimo/observability';
import type { ServiceClient } from '@marimo/resilience';
import { tokenFor } from '@marimo/testing';
import { runUntilKilled, until } from '@marimo/testing/outside';
import { partnerMirror, partners } from '@marimo/testing/records';
import { serviceTokenFor } from '@marimo/testing/tokens';
import type { CrashOrder } from '../test/crash-process.ts';
import { useTwoServices } from '../test/two-services.ts';
import { startMirrors } from './index.ts';

const two = useTwoServices({ background: false });
const program = new URL('../test/crash-process.ts', import.meta.url);
const howMany = 5_000;

let tenantId: string;
let ids: string[];
let filling: ReturnType<typeof startMirrors> | undefined;
beforeEach(async () => {
  two.asked.length = 0;
  tenantId = newId();
  ids = await createPartners();
  await two.config.database.sql('insert into mirror_standing (tenant_id, record) values ($1, $2)', [
    tenantId,
    'main.partner',
  ]);
});

afterEach(() => filling?.close());

/** As if they had been there for long: without events. */
async function createPartners(): Promise<string[]> {
  const made = Array.from({ length: howMany }, () => newId());
  await two.main.database.sql(
    `insert into partner
       (tenant_id, partner_id, code, name, state, archived, version, created_at, created_by, changed_at, changed_by)
     select $1, id, 'P-' || n, 'Завод ' || n, 'active', false, 1, now(), $1, now(), $1
     from unnest($2::uuid[]) with ordinality as given (id, n)`,
    [tenantId, made],
  );
  return made;
}

async function changePartner(partnerId: string, name: string): Promise<void> {
  const as = tokenFor({ tenantId });
  const answer = await two.main.call(partners.change, { params: { partnerId }, body: { name } }, { as });
  expect(answer.status).toBe(200);
  await tell(partnerId);
}

async function addPartner(partnerId: string): Promise<string> {
  const body = { partnerId, code: 'P-0', name: 'Новый' };
  expect((await two.main.call(partners.create, { body }, { as: tokenFor({ tenantId }) })).status).toBe(201);
  await tell(partnerId);
  return partnerId;
}

async function tell(partnerId: string): Promise<void> {
  await two.deliver((await two.eventsOf(tenantId)).filter(({ subject }) => subject === partnerId));
}

function fill(call: ServiceClient['call'] = two.client.call): void {
  filling = startMirrors({
    mirrors: [partnerMirror],
    database: two.config.database.database,
    relayDatabase: two.config.database.relay,
    client: { call },
    log: createLog({ service: 'config', level: 'silent' }),
    metrics: createMetrics('config'),
    pollMs: 20,
  });
}

const untilFilled = () =>
  until(async () => {
    const filled = `select from mirror_standing where tenant_id = $1 and state = 'filled'`;
    return (await two.config.database.sql(filled, [tenantId])).length > 0;
  });

async function expectSame(count = howMany): Promise<void> {
  const columns = 'partner_id, code, name, version';
  const read = (from: string) => `select ${columns} from ${from} where tenant_id = $1 order by partner_id`;
  const originals = await two.main.database.sql(read('partner'), [tenantId]);
  expect(await two.config.database.sql(read('partner_mirror'), [tenantId])).toEqual(originals);
  expect(originals).toHaveLength(count);
}

describe('filling a mirror with five thousand records', () => {
  it('ends with the same as the originals, though they change meanwhile', async () => {
    fill();
    for (const place of [4_999, 0, 2_500, 1_200, 3_700]) {
      await changePartner(ids[place] as string, `Новое имя ${place}`);
    }
    await untilFilled();
    await expectSame();
  });

  it('keeps what events tell, when the page that was read before them is written after them', async () => {
    let isAdded = false;
    const call = async (...given: Parameters<ServiceClient['call']>) => {
      const page = await two.client.call(...given);
      const [{ partnerId }] = (page.body as { items: [{ partnerId: string }] }).items;
      await changePartner(partnerId, 'Новое имя');
      // One that belongs on the first page, and is not on it.
      if (!isAdded) await addPartner((ids[0] as string).replace(/....$/, 'ffff'));
      isAdded = true;
      return page;
    };
    fill(call as ServiceClient['call']);
    await untilFilled();
    await expectSame(howMany + 1);
    const changed = `select from partner_mirror where tenant_id = $1 and name = 'Новое имя'`;
    expect(await two.config.database.sql(changed, [tenantId])).toHaveLength(two.asked.length);
  });

  it.each<Failpoint>(['mirror.beforeCommit', 'mirror.afterCommit'])(
    'goes on behind the last page that was written, when the process is killed at %s',
    async (place) => {
      const token = serviceTokenFor('config', tenantId);
      const order: CrashOrder = { server: two.config.database.server, url: two.main.url, token };
      await runUntilKilled({ program, order, failpoint: `${place}:4` });
      await two.config.database.untilIdle();
      const due = 'update mirror_standing set due_at = now() where tenant_id = $1'; // as time would
      await two.config.database.sql(due, [tenantId]);
      fill();
      await untilFilled();
      await expectSame();
      const written = place === 'mirror.afterCommit' ? 4 : 3;
      expect(two.asked.map(({ after }) => after)).toEqual(
        Array.from({ length: 10 - written }, (_, page) => ids[(written + page) * 500 - 1]),
      );
    },
  );
});
