import { findBinary } from '@marimo/testing/outside';
import { thisMachine } from './debian.ts';
import type { Machine } from './machine.ts';
import { type Program, programsForBenchmarks, programsForTests } from './programs.ts';

export interface ProvidedProgram {
  readonly name: string;
  readonly path: string | undefined;
  /** One line: what was found or done, or how to get it. */
  readonly says: string;
}

export interface Infra {
  readonly programs: readonly ProvidedProgram[];
  /** A line for each program that is not here. */
  readonly missing: readonly string[];
  /** What tests and benchmarks need to know of it. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ProvideOptions {
  /** Also what only benchmarks need. */
  readonly bench?: boolean;
  readonly machine?: Machine;
}

/**
 * Finds the programs that tests need, and gets those that are missing where that is possible. Says on standard output
 * what it installs, which may take minutes the first time; takes no time and says nothing when all are here.
 */
export async function provideInfra(options: ProvideOptions = {}): Promise<Infra> {
  const machine = options.machine ?? { find: findBinary, ...thisMachine };
  const wanted = options.bench ? programsForBenchmarks : programsForTests;
  const missingBefore = wanted.filter((program) => find(machine, program) === undefined);
  const problems = await getMissing(machine, missingBefore);

  const programs = wanted.map((program) => {
    const path = find(machine, program);
    const done = missingBefore.includes(program) ? 'installed' : 'found';
    const reason = problems.get(program) ?? 'it is still missing after its installation';
    const says = path === undefined ? `left out: ${reason}; ${program.howToGet}` : `${done} ${path}`;
    return { name: program.name, path, says };
  });
  const chromium = programs.find(({ name }) => name === 'Chromium')?.path;
  return {
    programs,
    missing: programs.filter(({ path }) => path === undefined).map(({ name, says }) => `${name}: ${says}`),
    env: chromium === undefined ? {} : { CHROMIUM_PATH: chromium },
  };
}

function find(machine: Machine, { binaries }: Program): string | undefined {
  for (const binary of binaries) {
    const path = machine.find(binary);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** Resolves with why each program could not be got; a failure with one does not keep the others away. */
async function getMissing(machine: Machine, missing: readonly Program[]): Promise<Map<Program, string>> {
  const problems = new Map<Program, string>();
  const attempt = async (
    programs: readonly Program[],
    whyNot: string | undefined,
    get: () => Promise<void>,
  ) => {
    if (programs.length === 0) return;
    const problem = whyNot ?? (await get().then(() => undefined, explain));
    if (problem !== undefined) for (const program of programs) problems.set(program, problem);
  };
  const packaged = missing.filter(({ debianPackage }) => debianPackage !== undefined);
  const packages = packaged.map(({ debianPackage }) => String(debianPackage));
  await attempt(packaged, machine.whyNoPackages(), () => machine.install(packages));
  const consul = missing.filter(({ debianPackage }) => debianPackage === undefined);
  await attempt(consul, machine.whyNoConsul(), () => machine.fetchConsul());
  return problems;
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
