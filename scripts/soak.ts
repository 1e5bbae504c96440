// npm run soak: as npm test, with all that a run takes only a sample of: odd requests, random stories, long outages.
import { run } from './steps/run.ts';

const { code } = await run('node', ['scripts/test.ts', ...process.argv.slice(2)], {
  env: { SOAK: '1' },
});
process.exitCode = code;
