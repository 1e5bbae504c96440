import { type NumberSeries, numberSeriesOf } from '@marimo/contracts';
import type { TenantTransaction } from '@marimo/postgres';
import { defineService, kitMigrations, numberSeriesRoutes } from '@marimo/service-kit';
import { takeNumber } from '../src/index.ts';

export const acts: NumberSeries = {
  name: 'act',
  text: { en: 'Acts', ru: 'Акты' },
  pattern: 'ACT-{year}-{0000}',
  gaps: 'none',
};
export const tickets: NumberSeries = {
  name: 'ticket',
  text: { en: 'Tickets', ru: 'Заявки' },
  pattern: 'T-{000}',
  gaps: 'allowed',
};
export const numberSeries = numberSeriesOf('config', [acts, tickets]);

const migrations = new URL('./migrations/', import.meta.url);
export const paperFolders = [...kitMigrations, migrations];

/** A service with nothing but two series. It borrows the name of a real one. */
export const paperService = defineService({
  name: 'config',
  migrations,
  routes: [(deps) => numberSeriesRoutes(numberSeries, deps)],
});

/** Gives a paper its number, as a document of the trade would. */
export async function file(tx: TenantTransaction, series: NumberSeries, day: string): Promise<string> {
  const number = await takeNumber(tx, series, day);
  await tx.run('insert into paper values ($1, $2, $3)', [tx.tenantId, series.name, number]);
  return number;
}
