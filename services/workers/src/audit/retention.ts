import { audit } from '@marimo/contracts/workers';
import { jobKind } from '@marimo/jobs';
import { type Deps, handle, type Route, reply } from '@marimo/service-kit';
import { z } from 'zod';
import { forgetRecords, getKeptMonths, setKeptMonths } from './retention-store.ts';

/** Some tens of milliseconds in which the organisation's audit takes no record. */
const mostAtOnce = 5_000;
const everyNight = '30 3 * * *';

export const forgetOldRecords = jobKind({
  kind: 'workers.forget-audit-records',
  input: z.strictObject({}),
  async run(run, { outbox }: Deps) {
    let total = 0;
    for (let isOver = false; !isOver; ) {
      run.signal.throwIfAborted();
      const forgotten = await run.inTenant(async (tx) => {
        const found = await forgetRecords(tx, mostAtOnce);
        if (found === undefined) return 0;
        const { hash } = found;
        const [records, upTo] = [Number(found.records), Number(found.upTo)];
        await outbox.add(tx, audit.forgotten, run.tenantId, { records, upTo, hash });
        return records;
      });
      total += forgotten;
      isOver = forgotten < mostAtOnce;
      run.progress({ done: total, message: `${total} records deleted` });
    }
    return { result: { records: total } };
  },
});

export const retentionRoutes = ({ outbox, jobs, organisations }: Deps): readonly Route[] => [
  handle(audit.getRetention, async (call) =>
    reply(200, { keptMonths: await call.readInTenant(getKeptMonths) }),
  ),

  handle(audit.setRetention, async (call) => {
    const { timeZone } = await organisations.of(call);
    const { keptMonths } = call.body;
    return call.inTenant(async (tx) => {
      if ((await getKeptMonths(tx)) === keptMonths) return reply(200, { keptMonths });
      await setKeptMonths(tx, keptMonths);
      const nightly = { scheduleId: tx.tenantId, input: {}, cron: everyNight, timeZone };
      if (keptMonths === null) await jobs.unschedule(tx, tx.tenantId);
      else await jobs.schedule(tx, forgetOldRecords, nightly, call.caller);
      await outbox.add(tx, audit.retentionChanged, tx.tenantId, { keptMonths });
      return reply(200, { keptMonths });
    });
  }),

  handle(audit.applyRetention, (call) =>
    call.inTenant(async (tx) => {
      const request = { input: {}, joinsOpen: true }; // two at once delete no more than one
      return reply(202, { jobId: await jobs.enqueue(tx, forgetOldRecords, request, call.caller) });
    }),
  ),
];
