import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { newRecord, newService, newSlice } from './new-service.ts';

const priceLists = {
  service: 'factory',
  resource: 'price-list',
  russian: 'прайс-листы',
  russianOne: 'прайс-лист',
};
const workCentres = { service: 'factory', resource: 'work-centre', russian: 'рабочие центры' };
const stores = { service: 'shop', resource: 'store', russian: 'магазины', russianOne: 'магазин' };

const root = resolve(__dirname, '../..');
const tool = promisify(execFile);

describe('making a service', () => {
  let house: string;
  beforeEach(() => {
    house = houseLikeOurs();
  });
  afterEach(() => rmSync(house, { recursive: true, force: true }));

  it('makes one with two records and a slice that is formatted, typed and passes the tests written with it', async () => {
    const files = [
      ...(await newService(house, priceLists)),
      ...(await newRecord(house, { ...workCentres, russianOne: 'рабочий центр' })),
      ...(await newSlice(house, {
        service: 'factory',
        resource: 'tool-change',
        russian: 'смены инструмента',
      })),
    ];
    linkPackages(house, 'factory');
    const generated = files.filter((file) => file.endsWith('.ts')).map((file) => join(house, file));
    const biome = ['check', '--write', '--config-path', root, '--vcs-enabled=false', '--error-on-warnings'];
    await tool(join(root, 'node_modules/.bin/biome'), [...biome, ...generated]);
    await tool(join(root, 'node_modules/.bin/tsc'), ['--noEmit', '--project', house]).catch(showOutput);
    const jest = [
      '--import',
      './scripts/steps/compile-once.ts',
      '--experimental-vm-modules',
      join(root, 'node_modules/jest/bin/jest.js'),
      '--rootDir',
      root,
    ];
    const { stderr } = await tool(
      process.execPath,
      [...jest, '--roots', house, '--ci', '--json', '--runInBand'],
      {
        cwd: root,
      },
    ).catch(showOutput);
    expect(stderr).toMatch(/Tests: +16 passed, 16 total/);
  }, 180_000);

  it('lets others import its contracts', async () => {
    await newService(house, stores);
    const { exports } = JSON.parse(readFileSync(join(house, 'packages/contracts/package.json'), 'utf8'));
    expect(exports['./shop']).toBe('./src/shop/index.ts');
  });

  it('refuses a name that is none of the services, and overwrites nothing', async () => {
    await expect(newService(house, { ...stores, service: 'sales' })).rejects.toThrow(
      'sales is none of the platform',
    );
    await newService(house, stores);
    const before = readdirSync(join(house, 'services/shop'));
    await expect(newService(house, { ...stores, resource: 'cart' })).rejects.toThrow('services/shop exists');
    expect(readdirSync(join(house, 'services/shop'))).toEqual(before);
    await expect(newSlice(house, stores)).rejects.toThrow('exists; nothing was written');
    await expect(newSlice(house, { ...stores, service: 'chat' })).rejects.toThrow('make it with new-service');
  });

  it.each(['Store', 'stores_', 'stores', 'order', '../x'])('refuses the resource %s', async (resource) => {
    await expect(newService(house, { ...stores, resource })).rejects.toThrow(
      /named in the singular|ambiguous/,
    );
  });
});

/** The parts of the project that a new service touches, somewhere else. */
function houseLikeOurs(): string {
  const house = mkdtempSync(join(tmpdir(), 'marimo-house-'));
  const contracts = join(house, 'packages/contracts');
  mkdirSync(join(house, 'services'));
  cpSync(join(root, 'packages/contracts/src'), join(contracts, 'src'), {
    recursive: true,
    filter: (path) => !path.endsWith('.test.ts') && !path.endsWith('/shop') && !path.endsWith('/factory'),
  });
  cpSync(join(root, 'packages/contracts/package.json'), join(contracts, 'package.json'));
  symlinkSync(join(root, 'packages/contracts/node_modules'), join(contracts, 'node_modules'));
  const tsconfig = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
    include: [
      'packages',
      'services',
      join(root, 'packages/testing/src/jest-matchers.ts'),
      join(root, 'packages/service-kit/src/**/*.d.ts'),
    ],
  };
  writeFileSync(join(house, 'tsconfig.json'), JSON.stringify(tsconfig));
  return house;
}

/** What `pnpm install` would do. */
function linkPackages(house: string, service: string): void {
  const scope = join(house, 'services', service, 'node_modules/@marimo');
  mkdirSync(scope, { recursive: true });
  symlinkSync(join(house, 'packages/contracts'), join(scope, 'contracts'));
  for (const name of ['postgres', 'records', 'service-kit', 'testing'])
    symlinkSync(join(root, 'packages', name), join(scope, name));
  symlinkSync(join(root, 'packages/contracts/node_modules/zod'), join(scope, '../zod'));
}

function showOutput(error: { stdout?: string; stderr?: string }): never {
  throw new Error(`${error.stdout ?? ''}\n${error.stderr ?? ''}`);
}
