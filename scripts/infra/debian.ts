import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchedBinaries, findBinary } from '@marimo/testing/outside';
import { apt, run, withAptLock } from './apt.ts';
import type { Machine } from './machine.ts';
import { withoutStartingServices } from './quiet-services.ts';

export const thisMachine: Omit<Machine, 'find'> = {
  whyNoPackages() {
    if (!existsSync('/etc/debian_version') || findBinary('apt-get') === undefined)
      return 'this is not Debian';
    return process.getuid?.() === 0 ? undefined : 'only root may install packages';
  },
  whyNoConsul() {
    return existsSync('/etc/debian_version') && findBinary('apt-get') !== undefined
      ? undefined
      : 'it is fetched by itself only on Debian';
  },
  install: (packages) => withAptLock(() => installPackages(packages)),
  fetchConsul: () => withAptLock(fetchConsul),
};

async function installPackages(packages: readonly string[]): Promise<void> {
  console.log(`Installing ${packages.join(', ')} from Debian's packages; this may take some minutes …`);
  // A source of somebody else's may be out of order; what counts is whether the packages can be installed then.
  await apt(['update']).catch(() => undefined);
  await withoutStartingServices(() =>
    apt(['install', '--yes', '--no-install-recommends', ...packages], { progress: true }),
  );
}

// Debian 12 has no Consul; the program of Debian 11 needs nothing but libc and is enough to test against.
const suite = 'bullseye';
const knownSums: Readonly<Record<string, string>> = {
  'consul_1.8.7+dfsg1-2+b3_amd64.deb': 'e4e888bba104daba1d9161f49bfc52649a7e4efd45b1a7ead5bc54f2cb9c89d9',
};
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** From the mirror this machine uses already, with lists of its own, so that nothing of apt's settings changes. */
async function fetchConsul(): Promise<void> {
  if (findBinary('consul') !== undefined) return; // somebody else fetched it while we waited
  console.log(`Fetching Consul from Debian's suite ${suite} …`);
  const folder = await mkdtemp(join(tmpdir(), 'marimo-consul-'));
  try {
    await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
    await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
    const sources = join(folder, 'sources.list');
    await writeFile(sources, `deb [signed-by=${keyring}] ${await mirror()} ${suite} main\n`);
    const options = [
      `Dir::Etc::SourceList=${sources}`,
      'Dir::Etc::SourceParts=-',
      `Dir::State::Lists=${join(folder, 'lists')}`,
      `Dir::Cache=${join(folder, 'cache')}`,
      'Acquire::Check-Valid-Until=false',
      'APT::Sandbox::User=', // apt's own user may not write into our folder
    ];
    await apt(['update'], { options });
    await apt(['download', 'consul'], { options, cwd: folder });
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded nothing');
    await checkSum(folder, archive);
    await run('dpkg', ['-x', join(folder, archive), join(folder, 'unpacked')]);
    await mkdir(fetchedBinaries, { recursive: true });
    // Under its name only once it is whole.
    const draft = join(fetchedBinaries, `consul.${process.pid}.tmp`);
    await copyFile(join(folder, 'unpacked', 'usr', 'bin', 'consul'), draft);
    await rename(draft, join(fetchedBinaries, 'consul'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** apt has checked the archive against Debian's signed lists; for the machines we know it must be the very same one. */
async function checkSum(folder: string, archive: string): Promise<void> {
  const known = knownSums[decodeURIComponent(archive)];
  const sum = createHash('sha256')
    .update(await readFile(join(folder, archive)))
    .digest('hex');
  if (known !== undefined && known !== sum) throw new Error(`${archive} is not the archive we know (${sum})`);
}

async function mirror(): Promise<string> {
  const list = () =>
    run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Label: Debian']);
  let [uri] = (await list()).split('\n');
  if (!uri) {
    await apt(['update']).catch(() => undefined); // a fresh machine knows its mirror only afterwards
    [uri] = (await list()).split('\n');
  }
  if (!uri) throw new Error('apt-get knows no mirror of Debian');
  return uri;
}
