import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../steps/run.ts';

it('says how it is used to who writes something else, before anything is started', () => {
  const file = join(root, 'scripts', 'start.ts');
  const { status, stderr } = spawnSync(process.execPath, [file, '--nonsense'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([64, expect.stringContaining('npm start -- --processes')]);
  expect(stderr).not.toMatch(/^ {4}at /m);
});
