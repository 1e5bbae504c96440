import type { Config } from 'jest';

// swc turns each file into CommonJS for Jest; Node itself runs the sources as they are.
const config: Config = {
  testEnvironment: '<rootDir>/scripts/steps/one-context.ts',
  runtime: '<rootDir>/scripts/steps/libraries-once.ts',
  // Beside what else a run keeps; the folder for temporary files may end with the run.
  cacheDirectory: '<rootDir>/.runtime/jest-cache',
  roots: ['<rootDir>/packages', '<rootDir>/services', '<rootDir>/scripts'],
  testMatch: ['**/*.test.ts'],
  // One throw-away PostgreSQL for the run; each test file clones its own database from a template.
  globalSetup: '<rootDir>/packages/testing/src/jest-setup.ts',
  globalTeardown: '<rootDir>/packages/testing/src/jest-teardown.ts',
  setupFilesAfterEnv: ['<rootDir>/packages/testing/src/jest-matchers.ts'],
  transform: {
    '\\.tsx?$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2024', parser: { syntax: 'typescript', tsx: false } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  testSequencer: '<rootDir>/scripts/steps/longest-first.ts',
  // Only ends a run that hangs: a busy machine is no failure.
  testTimeout: 120_000,
  // Tests wait for servers most of the time: two workers leave two thirds of two cores unused.
  maxWorkers: 4,
  // Each file brings its own copy of every module it imports, and little of that is given back.
  workerIdleMemoryLimit: '800MB',
};
export default config;
