import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@marimo/contracts';
import { requireInfra, tries } from '@marimo/testing';
import { type ApiClient, registerOrganisation } from '../../start/api-client.ts';
import { type Load, startLoad } from '../load.ts';
import { cluster } from '../shared-cluster.ts';

/** How long Consul is away under load: longer than anybody remembers an instance by chance. */
const consulAwayMs = tries(8, 180) * 1_000;

requireInfra('consul')('two of each service, under load,', () => {
  let organisation: ApiClient;
  let apiKey: string;
  const posted: string[] = [];

  beforeAll(async () => {
    organisation = await registerOrganisation(cluster.origins[0] as string, 'Chaos', 'EUR');
    for (const code of ['cash', 'capital']) {
      await organisation.post('/api/v1/accounting/accounts', { code, name: code, type: 'asset' });
    }
    const wanted = { keyId: newId(), name: 'A program', scopes: ['accounting.account.read'] };
    apiKey = (await organisation.post('/api/v1/users/me/keys', wanted)).body.key;
  });

  /** Does the work while people are at theirs; tells what failed for them. */
  async function underLoad(work: (load: Load) => Promise<void>): Promise<readonly string[]> {
    const load = startLoad(cluster.origins, {
      email: 'anna@chaos.example',
      password: 'Quite-Long-And-Odd-7',
      apiKey,
    });
    await load.more(60);
    try {
      await work(load);
    } finally {
      await load.stop();
    }
    posted.push(...load.posted);
    return load.failures;
  }

  it('are replaced one after the other, and no request fails', async () => {
    const failures = await underLoad(async (load) => {
      for (const instance of cluster.instances) {
        await instance.replace();
        await load.more(20);
      }
    });
    expect(failures).toEqual([]);
  });

  it('lose Redis at the peak, go on without it, and find it again', async () => {
    const failures = await underLoad(async (load) => {
      await cluster.surroundings.redis.kill();
      await load.more(250);
      await cluster.surroundings.redis.restart();
      await load.more(150);
    });
    expect(failures).toEqual([]);
  });

  it('lose Consul for a while: everybody still finds everybody, also a gateway that starts meanwhile', async () => {
    const failures = await underLoad(async (load) => {
      await cluster.surroundings.consul.kill();
      await load.more(60);
      await cluster.instances.find(({ service }) => service === 'gateway')?.replace();
      const until = Date.now() + consulAwayMs;
      while (Date.now() < until) await load.more(50);
      await cluster.surroundings.consul.restart();
      await load.more(100);
      await cluster.untilKnown();
    });
    expect(failures).toEqual([]);
  });

  it('a service that is killed costs no request that could be sent again', async () => {
    const failures = await underLoad(async (load) => {
      const accounting = cluster.instances.find(({ service }) => service === 'accounting');
      await accounting?.kill();
      await load.more(150);
      await accounting?.start();
      await load.more(50);
    });
    // A posting without a key that was on its way is not sent twice: whether it was done is not known, and is said.
    expect(failures.filter((failure) => !/^POST .*journal-entries: 50[23] /.test(failure))).toEqual([]);
  });

  it('each acknowledged entry is there once, and in the audit once', async () => {
    const stored = await pages(organisation, '/api/v1/accounting/journal-entries');
    const counts = new Map<string, number>();
    for (const { entryId } of stored) counts.set(String(entryId), (counts.get(String(entryId)) ?? 0) + 1);
    expect(posted.filter((id) => counts.get(id) !== 1)).toEqual([]);

    let verified: { body: unknown } | undefined;
    for (let tries = 0; tries < 300; tries += 1) {
      const records = await pages(organisation, '/api/v1/workers/audit-records');
      const audited = records.filter(({ type }) => type === 'accounting.journal-entry-posted.v1');
      if (audited.length >= stored.length) {
        expect(audited).toHaveLength(stored.length);
        verified = await organisation.get('/api/v1/workers/audit-records/verify');
        break;
      }
      await sleep(200);
    }
    expect(verified?.body).toMatchObject({ valid: true });
  });
});

async function pages(organisation: ApiClient, path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let after = '';
  do {
    const { body } = await organisation.get(
      `${path}?limit=200${after && `&after=${encodeURIComponent(after)}`}`,
    );
    items.push(...body.items);
    after = body.next ?? '';
  } while (after !== '');
  return items;
}
