// What Jest starts for a file of tests. It makes one context for a worker: what is loaded into it once is there for the
// next file too (libraries-once.ts).
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

type Given = ConstructorParameters<typeof TestEnvironment>;

let made: OneContext | undefined;

export default function contextOfWorker(...given: Given): OneContext {
  made ??= withPlainGlobal(() => new OneContext(...given));
  return made;
}

/** Forgets after each file what its tests have set. */
class OneContext extends TestEnvironment {
  readonly #env = { ...this.global.process.env };
  readonly #globals = new Set(Reflect.ownKeys(this.global));

  override async teardown(): Promise<void> {
    this.fakeTimersModern?.useRealTimers();
    for (const name of Reflect.ownKeys(this.global)) {
      if (!this.#globals.has(name)) Reflect.deleteProperty(this.global, name);
    }
    const { env } = this.global.process;
    for (const name of Object.keys(env)) delete env[name];
    Object.assign(env, this.#env);
  }
}

/** Jest's own global object is asked through an interceptor, which makes each `Promise` and `Buffer` in the code dear. */
function withPlainGlobal<T>(make: () => T): T {
  const { createContext } = vm;
  vm.createContext = (_object, options) => createContext(vm.constants.DONT_CONTEXTIFY, options);
  try {
    return make();
  } finally {
    vm.createContext = createContext;
  }
}
