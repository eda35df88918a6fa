// Makes a chosen call of a Rust module die, as it would by itself. The user's file is not changed: while a test has the
// fixture `inject`, instances hand out their exports through functions that count calls, get their imports through such
// functions, and are made of a copy of the file in which the allocator asks first (allocations.mjs).

import { ARMED, askBeforeAllocations, TABLE } from "./allocations.mjs";
import { die } from "./faults.mjs";

const { Instance, Memory, Module, compile, compileStreaming, instantiate, instantiateStreaming } = WebAssembly;
const THEIRS = { Instance, Module, compile, compileStreaming, instantiate, instantiateStreaming };
const { deref } = WeakRef.prototype;

// What wasm-bindgen, or the rewriter of unpanic, has added: no function of the author's.
const HELPER = /^__(?:wbindgen|externref|unpanic)_|^__instance_|^__abort_/;
const ALLOCATES = /^__wbindgen_(?:malloc|realloc)$/;
/** The module of the imports that the rewriter adds. The code without marks imports its memory from it. */
const OWN_MODULE = "unpanic";
/** An import of this name prints panics. */
const PRINTS = /^__wbg_error_/;
const MESSAGE = "injected panic";
const MUCH_FUEL = 2 ** 28;

/** The bytes of each module, from which a copy can be made later: a module serves several tests. */
const files = new WeakMap();
/** The copy of each module in which the allocator asks; null: there is none. */
const copies = new WeakMap();
/** The memories of instances that are watched. */
const watched = new WeakSet();
let isWatching = false;
/** @type {Plan[]} */
let plans = [];

/** A call that is to die. */
class Plan {
  /** @param {object} driver of the module (js/src/hosts/python/driver.js) */
  constructor({ module }, kind, paths, call, at, n, line) {
    Object.assign(this, { module, kind, paths, call, at, n, line });
    // Calls that run now do not count.
    this.last = module.calls;
    /** How many calls have begun, and which number the chosen one has among all of the module. */
    this.calls = 0;
    this.chosen = 0;
    this.lane = null;
    /** The first number that an async call in flight can have that it has begun. */
    this.firstId = 0;
    /** Whether its function was entered, and how often it has come to the place where it may die. */
    this.isEntered = false;
    this.count = 0;
    this.isFired = false;
  }

  /** Is it the chosen call that runs now? */
  isDue() {
    const { active, lane } = this.module;
    if (active > this.last && this.paths.includes(lane?.path)) {
      this.last = active;
      if (++this.calls === this.call) Object.assign(this, { chosen: active, lane, firstId: this.module.nextId });
    }
    return active === 0 ? this.goesOn() : active === this.chosen;
  }

  /** Does the event loop go on with the chosen call, which is async? The runtime knows what is in flight. */
  goesOn() {
    if (!this.lane?.isAsync) return false;
    const begun = [...this.module.generation.inFlight.values()].find(({ id }) => id >= this.firstId);
    return begun !== undefined && begun.name === this.lane.name;
  }

  /** The chosen call is at a place. Does it die here? */
  reaches(at) {
    if (this.at !== at || this.isFired || ++this.count !== this.n) return false;
    this.isFired = true;
    console.debug(this.line); // a call that never ends leaves this behind
    return true;
  }
}

/** An instance that is watched. */
class Watch {
  constructor(module, imports) {
    this.refuel = imports?.[OWN_MODULE]?.refuel ?? (() => MUCH_FUEL);
    this.printsPanics = false;
    this.memories = [];
    this.imports = { ...imports };
    for (const { module: from, name } of Module.imports(module)) {
      const value = imports?.[from]?.[name];
      this.printsPanics ||= PRINTS.test(name);
      if (value instanceof Memory) this.memories.push(value);
      if (typeof value !== "function" || from === OWN_MODULE) continue;
      if (this.imports[from] === imports[from]) this.imports[from] = { ...imports[from] };
      this.imports[from][name] = this.imported(value);
    }
  }

  /** Has the runtime get exports that count. */
  take(instance) {
    const { [TABLE]: table, [ARMED]: armed, ...exports } = instance.exports;
    this.seesAllocations = Boolean(table);
    if (table) {
      table.set(
        0,
        asWasm(() => this.allocates()),
      );
      armed.value = 1;
    }
    for (const [name, value] of Object.entries(exports)) {
      if (value instanceof Memory) this.memories.push(value);
      if (typeof value === "function" && !name.startsWith("__unpanic_")) exports[name] = this.exported(name, value);
    }
    for (const memory of this.memories) watched.add(memory);
    return Object.defineProperty(instance, "exports", { value: Object.freeze(exports) });
  }

  /** The plans whose chosen call runs now, in this instance. */
  due() {
    return plans.filter((plan) => this.memories.includes(plan.module.generation.memory) && plan.isDue());
  }

  exported(name, call) {
    const isHelper = HELPER.test(name);
    return (...values) => {
      if (plans.length === 0) return call(...values);
      const due = this.due();
      const entered = isHelper ? [] : due.filter((plan) => !plan.isEntered);
      for (const plan of entered) plan.isEntered = true;
      this.dieAt("entry", entered);
      if (!this.seesAllocations && due.length > 0 && isAllocator(name, due[0].module)) this.dieAt("allocation", due);
      const result = call(...values);
      this.dieAt("return", entered);
      return result;
    };
  }

  imported(call) {
    return (...values) => {
      if (plans.length > 0) this.dieAt("import", this.due());
      return call(...values);
    };
  }

  /** The allocator asks. @returns {number} 1: it has no memory */
  allocates() {
    if (plans.length > 0) {
      for (const plan of this.due()) {
        if (!plan.reaches("allocation")) continue;
        if (plan.kind === "oom") return 1;
        this.fail(plan);
      }
    }
    return 0;
  }

  dieAt(at, due) {
    for (const plan of due) if (plan.reaches(at)) this.fail(plan);
  }

  /** Dies as a plan says. */
  fail({ kind, at, module: { generation } }) {
    const isInside = at === "import" || at === "allocation";
    if (kind === "foreign") throw thrown(new Error("injected"), generation, isInside);
    if (kind === "panic") {
      const reports = generation.panicHook ?? (this.printsPanics ? (panic) => generation.panics.push(panic) : null);
      reports?.({ message: MESSAGE, payload: "", location: null, stack: "" });
      const error = Object.assign(new Error(MESSAGE), { name: "PanicError" });
      if (generation.unwinds) throw thrown(error, generation, isInside);
    }
    // An allocator that runs into `unreachable` tells of a shortage of memory.
    die(kind === "trap" && at === "allocation" ? "divide" : kind, this.refuel);
  }
}

/**
 * An exception as it is on its way. Where panics unwind, one of JavaScript's has a tag for Rust's frames, and another
 * one outside of them.
 */
function thrown(error, generation, isInside) {
  if (!isInside) return generation.wrap(error);
  const tag = generation.javascriptTag;
  return tag ? new WebAssembly.Exception(tag, [error], { traceStack: true }) : error;
}

/** In newer packages only the glue knows which export allocates. */
const isAllocator = (name, { allocators }) => ALLOCATES.test(name) || Boolean(allocators?.has(name));

// (func (import "page" "asks") (export "asks") (result i32))
const ASKS = new Module(
  new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f],
    ...[2, 0x0d, 1, 4, 0x70, 0x61, 0x67, 0x65, 4, 0x61, 0x73, 0x6b, 0x73, 0, 0],
    ...[7, 8, 1, 4, 0x61, 0x73, 0x6b, 0x73, 0, 0],
  ]),
);

/** A function of JavaScript's that can stand in a table. */
const asWasm = (asks) => new Instance(ASKS, { page: { asks } }).exports.asks;

/** Only what has a memory of its own is a module of Rust's, and what takes it from such a module. */
function isOfRust(module) {
  return (
    Module.exports(module).some(({ kind }) => kind === "memory") ||
    Module.imports(module).some((each) => each.module === OWN_MODULE && each.kind === "memory")
  );
}

/** What the copy of a module is compiled from. @returns {Uint8Array | null} null: there is no copy */
function textOfCopy(module) {
  try {
    return askBeforeAllocations(module, files.get(module));
  } catch {
    return null; // it came as it is, from elsewhere, or has what only newer files have
  }
}

function make(module, imports) {
  if (!isOfRust(module)) return new Instance(module, imports);
  if (!copies.has(module)) {
    const text = textOfCopy(module);
    try {
      copies.set(module, text && new Module(text));
    } catch {
      copies.set(module, null); // it is too large for the page's main thread
    }
  }
  const watch = new Watch(module, imports);
  return watch.take(new Instance(copies.get(module) ?? module, watch.imports));
}

async function makeLater(module, imports) {
  if (!isOfRust(module)) return instantiate(module, imports);
  if (!copies.get(module)) {
    const text = textOfCopy(module);
    copies.set(module, text && (await compile(text)));
  }
  const watch = new Watch(module, imports);
  return watch.take(await instantiate(copies.get(module) ?? module, watch.imports));
}

/** Remembers what a module was compiled from. The original may change afterwards: it may be in Python's memory. */
async function remember(compiled, copy) {
  const module = await compiled;
  files.set(module, copy);
  return module;
}

function copyOf(bytes) {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice()
    : new Uint8Array(bytes.slice());
}

/** The engine comes first, because it knows best what is wrong with what it gets. */
async function compileBytes(bytes, ...options) {
  const compiled = compile(bytes, ...options);
  const isFile = ArrayBuffer.isView(bytes) || bytes instanceof ArrayBuffer;
  return isFile ? remember(compiled, copyOf(bytes)) : compiled;
}

async function compileResponse(source, ...options) {
  const response = await source;
  const copy = response.clone().arrayBuffer();
  copy.catch(() => {});
  const module = await compileStreaming(response, ...options);
  files.set(module, new Uint8Array(await copy));
  return module;
}

async function instantiateAny(source, imports) {
  if (source instanceof Module) return makeLater(source, imports);
  const module = await compileBytes(source);
  return { module, instance: await makeLater(module, imports) };
}

/** The functions of `WebAssembly` while a test has the fixture. */
const OWN = {
  Module: new Proxy(Module, {
    construct(_, [bytes, ...options]) {
      const module = new Module(bytes, ...options);
      files.set(module, copyOf(bytes));
      return module;
    },
  }),
  Instance: new Proxy(Instance, { construct: (_, [module, imports]) => make(module, imports) }),
  compile: compileBytes,
  compileStreaming: compileResponse,
  instantiate: instantiateAny,
  async instantiateStreaming(source, imports) {
    const module = await compileResponse(source);
    return { module, instance: await makeLater(module, imports) };
  },
};

/**
 * From now on, until the test has ended, modules are watched that are loaded. The runtime remembers weakly what it has
 * compiled: what was compiled before is taken for collected, so that it is compiled again.
 */
export function watch() {
  isWatching = true;
  Object.assign(WebAssembly, OWN);
  WeakRef.prototype.deref = function () {
    const target = deref.call(this);
    return target instanceof Module && !files.has(target) ? undefined : target;
  };
}

globalThis.unpanicInject = {
  /** Is a module's instance watched? @param {object} driver */
  isWatched: ({ module: { generation } }) => generation.memory === null || watched.has(generation.memory),
  /** Adds a plan. @param {unknown[]} parts those of the constructor */
  add(...parts) {
    const plan = new Plan(...parts);
    plans.push(plan);
    return plan;
  },
  /** Ends a plan. @param {Plan} plan */
  end(plan) {
    plans = plans.filter((each) => each !== plan);
  },
  /** Ends all plans. */
  clear() {
    plans = [];
  },
  /** The test has ended: `WebAssembly` is as it was. */
  leave() {
    plans = [];
    // Others may have replaced functions, too.
    if (isWatching) Object.assign(WebAssembly, THEIRS);
    if (isWatching) WeakRef.prototype.deref = deref;
    isWatching = false;
  },
};
