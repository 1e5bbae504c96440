// npm run service-secret -- workers    the SERVICE_SECRET of that service, made from INTERNAL_SECRET
// npm run service-secret -- operator   the one for commands such as rotate-keys
import { install } from './steps/install.ts';

await install('production');
const { readSettings, secretOf, SettingsInvalid } = await import('@marimo/service-kit');
const { users } = await import('../services/users/service.ts');
const { ActingService } = await import('@marimo/contracts');

const asked = ActingService.safeParse(process.argv[2]);
if (!asked.success || process.argv.length > 3) {
  console.error(`It is: npm run service-secret -- <service>, one of ${ActingService.options.join(', ')}`);
  process.exit(64); // sysexits.h: the command was used incorrectly
}
try {
  // As in users: one service's own secret is not enough to know another's.
  console.log(secretOf(readSettings(process.env, [users]).serviceSecrets, asked.data));
} catch (error) {
  if (!(error instanceof SettingsInvalid)) throw error;
  console.error(error.message);
  process.exitCode = 78; // sysexits.h: the settings are broken
}
