// npm run migrate: brings the database of the environment to the present schema, and starts nothing else.
import { install } from './steps/install.ts';

await install('production');
const { readSettings, runUntilAsked, startPlatform } = await import('@marimo/service-kit');
const { findServices } = await import('./start/services.ts');

await runUntilAsked('Migrating', async (started) => {
  const settings = { ...readSettings(process.env), migrateAtStart: true };
  const platform = await startPlatform(settings, { mayJoin: true });
  started.defer(() => platform.close());
  await platform.migrate(await findServices());
  console.log('Every schema is up to date.');
  return 'done';
});
