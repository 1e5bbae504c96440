// npm run soak: the guards with everything they can ask, instead of a sample; paths as with npm test.
import { run } from './steps/run.ts';

const asked = process.argv.slice(2);
const { code } = await run('node', ['scripts/test.ts', ...(asked.length > 0 ? asked : ['scripts/guards'])], {
  env: { SOAK: '1' },
});
process.exitCode = code;
