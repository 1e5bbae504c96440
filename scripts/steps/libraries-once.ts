// What Jest loads modules with. A file of tests has its own copy of each module of ours; those of others, three quarters of
// all, are loaded once for a worker.
import { createRequire, isBuiltin } from 'node:module';
import type runtime from 'jest-runtime';

const { default: JestRuntime }: typeof runtime = createRequire(import.meta.url)('jest-runtime');
type JestRuntime = InstanceType<typeof JestRuntime>;
type Given = ConstructorParameters<typeof JestRuntime>;
type Asked = Parameters<JestRuntime['requireModule']>;

/** Never torn down, so that a library may load a part of itself whenever it likes. */
let libraries: JestRuntime | undefined;

export default class LibrariesOnce extends JestRuntime {
  constructor(...given: Given) {
    super(...given);
    libraries ??= new JestRuntime(...given);
  }

  override requireModule<T = unknown>(...[from, name, options, isActual]: Asked): T {
    if (libraries !== undefined && options?.isInternalModule !== true && isLibrary(name))
      return libraries.requireModule<T>(from, name, options, isActual);
    return super.requireModule<T>(from, name, options, isActual);
  }
}

function isLibrary(name: string | undefined): boolean {
  return name !== undefined && !/^([./]|@marimo\/)/.test(name) && !isBuiltin(name);
}
