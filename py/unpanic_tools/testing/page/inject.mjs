// Makes a chosen call of a Rust module die, as it would by itself. The module is not changed: each instance hands out
// its exports through functions that count calls.

// (func (export "trap") unreachable) (func $overflow (export "overflow") (call $overflow))
const FAULTS = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 3, 2, 0, 0, 7, 0x13, 2, 4, 0x74, 0x72, 0x61, 0x70, 0, 0, 8,
  0x6f, 0x76, 0x65, 0x72, 0x66, 0x6c, 0x6f, 0x77, 0, 1, 0x0a, 0x0a, 2, 3, 0, 0, 0x0b, 4, 0, 0x10, 1, 0x0b,
]);

const { Instance, Memory, Module, instantiate, instantiateStreaming } = WebAssembly;
const faults = new Instance(new Module(FAULTS)).exports;
const kinds = {
  trap: faults.trap,
  overflow: faults.overflow,
  foreign() {
    throw new Error("injected");
  },
};
/** What is to die: its exports' name, the number of calls until then, and whether at the entry or at the return. */
let plans = [];

function counted(name, call) {
  return (...values) => {
    // Each plan counts each call, also if another one is due.
    const due = plans.filter((plan) => plan.names.includes(name.toLowerCase()) && --plan.left === 0);
    const die = (at) => {
      for (const plan of due) if (plan.at === at) kinds[plan.kind]();
    };
    die("entry");
    const result = call(...values);
    die("return");
    return result;
  };
}

/** A module of Rust's has a memory of its own. */
function watched(instance) {
  const entries = Object.entries(instance.exports);
  if (!entries.some(([, value]) => value instanceof Memory)) return instance;
  const exports = entries.map(([name, value]) => [name, typeof value === "function" ? counted(name, value) : value]);
  return Object.defineProperty(instance, "exports", { value: Object.freeze(Object.fromEntries(exports)) });
}

function WatchedInstance(module, imports) {
  return watched(new Instance(module, imports));
}
WatchedInstance.prototype = Instance.prototype;

const watchedLater = async (result) => {
  const made = await result;
  watched(made instanceof Instance ? made : made.instance);
  return made;
};

/** From now on, instances are watched. */
export function install() {
  Object.assign(WebAssembly, {
    Instance: WatchedInstance,
    instantiate: (source, imports) => watchedLater(instantiate(source, imports)),
    instantiateStreaming: (source, imports) => watchedLater(instantiateStreaming(source, imports)),
  });
  globalThis.unpanicInject = {
    kinds: Object.keys(kinds),
    add: (kind, names, left, at) => plans.push({ kind, names, left, at }),
    /** Ends all plans, and returns the names of those that nobody has called often enough. */
    clear: () => {
      const open = plans.filter(({ left }) => left > 0).map(({ names }) => names.join(" or "));
      plans = [];
      return open;
    },
  };
}
