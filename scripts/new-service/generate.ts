import { install } from '../steps/install.ts';
import { root, run } from '../steps/run.ts';

/** Reads the command line, writes the files, formats them and brings the pages made from the contracts up to date. */
export async function generate(
  command: string,
  what: 'newService' | 'newSlice' | 'newRecord',
): Promise<void> {
  const [service, resource, russian, russianOne, ...rest] = process.argv.slice(2);
  const isSlice = what === 'newSlice';
  const isWhole = service !== undefined && resource !== undefined && russian !== undefined;
  if (!isWhole || (russianOne === undefined) !== isSlice || rest.length > 0) {
    const singular = isSlice ? '' : ' <its Russian singular>';
    console.error(
      `usage: npm run ${command} -- <service> <resource in the singular> <its Russian plural>${singular}`,
    );
    process.exit(64); // sysexits.h: the command was used incorrectly
  }
  await install('everything');
  const generators = await import('./new-service.ts');
  try {
    const files = await generators[what](root, { service, resource, russian, russianOne: russianOne ?? '' });
    // A new package changes the lockfile, and lines break by the length of the names.
    await run('pnpm', ['install', '--reporter=silent']);
    await run('pnpm', ['exec', 'biome', 'check', '--write', `services/${service}`, 'packages/contracts/src']);
    await run('node', ['scripts/docs.ts']);
    for (const file of files) console.log(`wrote ${file}`);
    console.log(`next: replace what is not yet the trade, then npm test -- services/${service}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
