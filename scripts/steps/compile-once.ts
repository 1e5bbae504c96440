// Loaded before Jest, in its workers too. Each file of tests has a context and modules of its own, and Jest compiles every
// module for it again. A script is compiled once and can run in many contexts: what it has compiled so far is shared.
import vm from 'node:vm';

interface Compiled {
  readonly source: string;
  readonly script: vm.Script;
}

const { compileFunction } = vm;
const compiled = new Map<string, Compiled>();
/** Calls back the runtime that compiled it, which is gone with its file of tests. */
const importsDynamically = /\bimport\s*\(/;

vm.compileFunction = (source, parameters = [], options = {}) => {
  const { filename = '', parsingContext } = options;
  if (parsingContext === undefined || filename === '' || importsDynamically.test(source))
    return compileFunction(source, parameters, options);
  try {
    return scriptOf(source, parameters, filename).runInContext(parsingContext);
  } catch {
    return compileFunction(source, parameters, options); // says what is wrong with it as Jest expects
  }
};

function scriptOf(source: string, parameters: readonly string[], filename: string): vm.Script {
  const key = `${parameters.join()} ${filename}`;
  const known = compiled.get(key);
  if (known?.source === source) return known.script;
  const head = `(function (${parameters.join()}) {`;
  const script = new vm.Script(`${head}${source}\n})`, { filename, columnOffset: -head.length });
  compiled.set(key, { source, script });
  return script;
}
