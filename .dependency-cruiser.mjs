// The house plan as import rules. Zones come from the folders found, so a new package, service or slice is fenced
// on the day it appears.
import { globSync, readdirSync } from 'node:fs';

const layers = [
  'measures',
  'problems',
  'contracts',
  'observability',
  'postgres',
  'messaging',
  'cache',
  'discovery',
  'resilience',
  'files',
  'jobs',
  'sagas',
  'file-import',
  'file-export',
  'records',
  'numbering',
  'mirrors',
  'service-kit',
  'documents',
  'printing',
  'testing',
];
const folders = readdirSync('packages');
const unknown = folders.filter((folder) => !layers.includes(folder));
if (unknown.length > 0)
  throw new Error(`packages without a place in the order of layers: ${unknown.join(', ')}`);

const test = '\\.test\\.ts$';
const insideTestingOrTest = `(${test}|/testing/|/test/|^packages/testing/|^jest\\.config)`;

const upward = layers.flatMap((layer, place) => {
  const above = layers.slice(place + 1);
  if (above.length === 0) return [];
  return [
    {
      name: `${layer}-imports-only-what-is-listed-above-it`,
      severity: 'error',
      from: { path: `^packages/${layer}/`, pathNot: insideTestingOrTest },
      to: { path: `^packages/(${above.join('|')})/` },
    },
  ];
});

// One door to each outside library, so that its traps are known in one place.
const doors = {
  amqplib: ['packages/messaging'],
  pg: ['packages/postgres'],
  ioredis: ['packages/cache'],
  consul: ['packages/discovery'],
  opossum: ['packages/resilience'],
  winston: ['packages/observability'],
  'prom-client': ['packages/observability'],
  bcrypt: ['services/users'],
  otpauth: ['services/users'],
  '@simplewebauthn/server': ['services/users'],
  'openid-client': ['services/users'],
  nodemailer: ['services/workers'],
  'csv-parse': ['packages/file-import'],
  croner: ['packages/jobs'],
  '@aws-sdk/client-s3': ['packages/files'],
  'file-type': ['packages/files'],
  pdfmake: ['packages/printing'],
};

// A folder without files of its own is a wing: the folders in it are slices too.
const wings = globSync('services/*/src/*/*/index.ts')
  .map((door) => door.split('/').slice(0, -2).join('/'))
  .filter((folder) => globSync(`${folder}/*.ts`).length === 0);
const wing = `(?:${[...new Set(wings)].join('|') || '-'})/`;
/** From the service's folder on; `$1` is the service. */
const doorsOfSlices = `(?:(?!${wing})services/$1/src|(?=${wing})services/$1/src/[^/]+)/[^/]+/index\\.ts$`;

export default {
  forbidden: [
    ...upward,
    {
      name: 'packages-know-no-service',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^services/' },
    },
    {
      name: 'services-never-import-each-other',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'a-slice-enters-another-only-by-its-door',
      severity: 'error',
      from: { path: '^services/([^/]+)/src/([^/]+)/', pathNot: `^${wing}` },
      to: { path: '^services/$1/src/[^/]+/', pathNot: ['^services/$1/src/$2/', `^${doorsOfSlices}`] },
    },
    {
      name: 'a-slice-of-a-wing-enters-another-only-by-its-door',
      severity: 'error',
      from: { path: `^(?=${wing})services/([^/]+)/src/([^/]+/[^/]+)/` },
      to: { path: '^services/$1/src/[^/]+/', pathNot: ['^services/$1/src/$2/', `^${doorsOfSlices}`] },
    },
    {
      name: 'measures-problems-and-contracts-run-in-a-browser',
      severity: 'error',
      from: { path: '^packages/(measures|problems|contracts)/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'testing-is-for-tests',
      severity: 'error',
      from: { path: '^(packages|services)/', pathNot: insideTestingOrTest },
      to: { path: '^packages/testing/' },
    },
    ...Object.entries(doors).map(([library, homes]) => ({
      name: `${library}-has-one-door`,
      severity: 'error',
      from: {
        path: '^(packages|services)/',
        pathNot: [...homes.map((home) => `^${home}/`), insideTestingOrTest],
      },
      to: { path: `node_modules/${library}/` },
    })),
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { pathNot: 'node_modules' } },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
