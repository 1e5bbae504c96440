// npm run rotate-keys                    makes the next signing key; nobody notices
// npm run rotate-keys -- --compromised   somebody may have a copy: every other key is worthless at once
import { parseArgs } from 'node:util';
import { install } from './steps/install.ts';

const { values } = parseArgs({ options: { compromised: { type: 'boolean', default: false } } });
await install('production');
const { readSettings, runUntilAsked, startPlatform } = await import('@marimo/service-kit');
const { accessTokens } = await import('@marimo/contracts/users');

await runUntilAsked('Rotating the signing keys', async (started) => {
  const platform = await startPlatform(readSettings(process.env), { withDatabase: false });
  started.defer(() => platform.close());
  const client = platform.client(platform.observe('operator'));
  started.defer(() => client.close());
  const { body } = await client.call(accessTokens.rotateSigningKeys, {
    body: { compromised: values.compromised },
  });
  console.log(`The key ${body.kid} signs from ${body.signsFrom.toISOString()}.`);
  return 'done';
});
