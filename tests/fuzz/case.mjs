/** One case loads, calls, resets and unloads a mutated pair of files, and judges all outcomes. */

import { compileWasm } from "../../js/src/files/compiling.js";
import { describe } from "../../js/src/glue/describe.js";
import { factoryBody } from "../../js/src/glue/factory.js";
import { calledExports, readGlue } from "../../js/src/glue/glue.js";
import { makeFacade } from "../../js/src/hosts/plain/facade.js";
import { DefaultSupervisor } from "../../js/src/hosts/plain/supervisor.js";
import { UnpanicError } from "../../js/src/shared/errors.js";
import { isInstance } from "../../js/src/shared/isinstance.js";
import { loadModule, loadModuleSync } from "../../js/test/loading.js";
import { pickPackage } from "./corpus.mjs";
import { judgeCall, judgeLoad, nameOf } from "./judge.mjs";
import { mutateGlue } from "./mutate_glue.mjs";
import { mutateWasm } from "./mutate_wasm.mjs";
import { Random } from "./random.mjs";

/** @import {FunctionDescription, Kind} from "../../js/src/types.js" */

const CALLS = 16;
const PAUSE_MS = 3;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** @param {number} number */
export function makeCase(number) {
  const random = new Random(number);
  const { name, source, url, wasm, readFile } = pickPackage(random);
  const what = random.next();
  const glue = what < 0.65 ? mutateGlue(random, source) : { source, how: [] };
  const binary = what > 0.5 ? mutateWasm(random, wasm) : { bytes: wasm, how: [] };
  return {
    name,
    random,
    url,
    readFile,
    glue,
    wasm: binary,
    how: [...glue.how, ...binary.how.map((how) => `Wasm: ${how}`)],
  };
}

/**
 * The outcome of one case. `step` is called with the next phase: `read` for unpanic's own reading, which has to end
 * for any files, and `load` and `run` for phases that also run the mutated program.
 */
export class Case {
  /** @param {number} number @param {(phase: "read" | "load" | "run") => void} step */
  constructor(number, step) {
    Object.assign(this, makeCase(number));
    this.step = step;
    this.problems = /** @type {string[]} */ ([]);
    this.outcome = "";
    /** @type {Record<string, number>} */
    this.calls = {};
    this.pending = 0;
  }

  async run() {
    this.readAlone();
    this.step("load");
    let module;
    try {
      module = await this.load();
    } catch (error) {
      this.outcome = nameOf(error);
      this.note("load", judgeLoad(error));
      return;
    }
    if (!module) return;
    this.outcome = "loaded";
    await this.use(module);
  }

  /** Reads the files as unpanic does before it runs them. The load judges the errors. */
  readAlone() {
    const nothing = { imports: [], exports: [], unwinds: false };
    const wasm = this.read(() => compileWasm(this.wasm.bytes, "the file").wasm) ?? nothing;
    const glue = this.read(() => readGlue(this.glue.source, this.url));
    if (!glue) return;
    for (const read of [() => describe(glue, wasm), () => factoryBody(glue), () => calledExports(glue)])
      this.read(read);
  }

  /** @template T @param {() => T} read @returns {T | undefined} */
  read(read) {
    this.step("read");
    try {
      return read();
    } catch {
      return undefined;
    }
  }

  /** Loads the files in one way. @returns {Promise<import("../../js/src/module/module.js").SupervisedModule | null>} */
  async load() {
    const way = this.random.below(4);
    const glue = { source: this.glue.source, url: this.url, readFile: this.readFile };
    const wasm = this.wasm.bytes;
    if (way === 0) return loadModule({ glue, wasm: new Response(wasm) });
    if (way === 1) return loadModule({ glue, wasm });
    if (way === 2 && /__wbg_reset_state/.test(glue.source)) return this.loadNamespace(glue.source, wasm);
    return loadModuleSync({ glue, wasm });
  }

  /** @param {string} source @param {Uint8Array} wasm */
  async loadNamespace(source, wasm) {
    let namespace;
    try {
      namespace = await import(`data:text/javascript;base64,${Buffer.from(source).toString("base64")}`);
    } catch {
      this.outcome = "not importable";
      return null;
    }
    return loadModule({ glue: namespace, wasm });
  }

  /** @param {import("../../js/src/module/module.js").SupervisedModule} module */
  async use(module) {
    const supervisor = new DefaultSupervisor(module);
    module.host = supervisor;
    this.facade = makeFacade(module, supervisor);
    const calls = this.everyCall(module.description);
    for (let left = Math.min(CALLS, calls.length); left--; ) this.call(...this.random.pick(calls));
    await pause();
    this.call("reset", () => supervisor.reset());
    if (calls.length) this.call(...this.random.pick(calls));
    await turn();
    this.call("unload", () => supervisor.terminate("unloaded"));
    await turn();
    if (this.pending) this.note("unload", `${this.pending} promises are left pending`);
    if (calls.length && !module.closed) this.note("unload", "the module is not closed");
  }

  /** @param {import("../../js/src/types.js").Description} description @returns {[string, () => unknown][]} */
  everyCall({ functions, classes }) {
    const { facade } = this;
    /** @type {[string, () => unknown][]} */
    const calls = functions.map((described) => [described.name, () => facade[described.name](...this.args(described))]);
    for (const { name, construct, methods, statics, getters, setters, ...own } of classes) {
      /** @type {any[]} */
      const objects = [];
      const object = () =>
        objects.length && this.random.chance(0.8) ? this.random.pick(objects) : this.make(name, construct, objects);
      calls.push([name, () => this.make(name, construct, objects)], [`${name}.free`, () => object().free()]);
      for (const described of statics)
        calls.push([`${name}.${described.name}`, () => facade[name][described.name](...this.args(described))]);
      for (const described of own.staticGetters)
        calls.push([`${name}.${described.name}`, () => facade[name][described.name]]);
      for (const described of own.staticSetters)
        calls.push([`${name}.${described.name}`, () => void (facade[name][described.name] = this.args(described)[0])]);
      for (const described of methods)
        calls.push([`${name}.${described.name}`, () => object()[described.name](...this.args(described))]);
      for (const described of getters) calls.push([`${name}.${described.name}`, () => object()[described.name]]);
      for (const described of setters) {
        calls.push([`${name}.${described.name}`, () => void (object()[described.name] = this.args(described)[0])]);
      }
    }
    return calls;
  }

  /** @param {string} name @param {FunctionDescription | null} construct @param {any[]} objects */
  make(name, construct, objects) {
    const object = new this.facade[name](...(construct ? this.args(construct) : []));
    objects.push(object);
    return object;
  }

  /** @param {FunctionDescription} described */
  args({ params }) {
    return params.map(({ kind }) => this.value(kind));
  }

  /** Returns a plain value of a kind. @param {Kind} kind @returns {unknown} */
  value(kind) {
    const { random } = this;
    const { name } = kind;
    if (name === "object") return new this.facade[kind.className](1, 1);
    if (name === "list" && kind.element === "string") return ["a"];
    if (name === "array" && kind.element === "u8") return Uint8Array.of(1, 2, 3);
    if (name === "array" || name === "list") return new (random.pick([Float64Array, Int32Array, Uint8Array]))(3);
    if (/^(i64|u64|int64|bigint)$/.test(name)) return random.pick([0n, 1n, 100n]);
    if (name === "bool") return random.chance(0.5);
    if (name === "string" || name === "char") return random.pick(["a", "ada", "é🦀"]);
    if (name === "function") return random.pick([() => 1, () => undefined, Math.abs]);
    if (/^(any|unknown)$/.test(name)) return random.pick([1, "text", null, undefined, [1], { a: 1 }, () => 2]);
    return random.pick([0, 1, 2, 7]);
  }

  /** @param {string} name @param {() => unknown} run */
  call(name, run) {
    this.step("run");
    try {
      this.watch(name, run());
      this.count("returned");
    } catch (error) {
      this.failed(name, error);
    }
  }

  /**
   * Checks that a promise of unpanic settles, at the latest when the module is unloaded.
   * @param {string} name @param {unknown} value
   */
  watch(name, value) {
    if (Object.prototype.toString.call(value) !== "[object Promise]") return;
    this.pending++;
    Promise.prototype.then.call(
      value,
      () => this.pending--,
      (reason) => {
        this.pending--;
        this.failed(name, reason);
      },
    );
  }

  /** @param {string} name @param {unknown} error */
  failed(name, error) {
    this.count(isInstance(error, UnpanicError) ? nameOf(error) : "passed on");
    this.note(name, judgeCall(error));
  }

  /** @param {string} name */
  count(name) {
    this.calls[name] = (this.calls[name] ?? 0) + 1;
  }

  /** @param {string} where @param {string} problem */
  note(where, problem) {
    if (problem) this.problems.push(`${where}: ${problem}`);
  }
}
