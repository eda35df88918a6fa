// Which instances of Rust modules are alive. One that lives on after its test, when its module is unloaded and the
// garbage was collected, is still referenced: the test leaks it.

/** A weak reference to the memory of each instance of this test, which lives as long as the instance. */
let memories = [];

function note(instance) {
  const { memory, rewrite_module: isRewriter } = instance.exports;
  if (memory instanceof WebAssembly.Memory && !isRewriter) memories.push(new WeakRef(memory));
  return instance;
}

/** From now on, instances are noted. */
export function install() {
  const { Instance, instantiate, instantiateStreaming } = WebAssembly;
  function NotedInstance(module, imports) {
    return note(new Instance(module, imports));
  }
  NotedInstance.prototype = Instance.prototype;
  const noted = async (result) => {
    const made = await result;
    note(made.instance ?? made);
    return made;
  };
  Object.assign(WebAssembly, {
    Instance: NotedInstance,
    instantiate: (source, imports) => noted(instantiate(source, imports)),
    instantiateStreaming: (source, imports) => noted(instantiateStreaming(source, imports)),
  });
  globalThis.unpanicGenerations = {
    begin() {
      memories = [];
    },
    made: () => memories.length,
    alive: () => memories.filter((memory) => memory.deref()).length,
    /** Collects the garbage, where JavaScript may. */
    collect: () => globalThis.gc?.(),
  };
}
