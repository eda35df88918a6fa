// Which dead generations of Rust modules are still referenced. unpanic tells of each that lets go of its instance.

/** So many Wasm memories no browser allows at once: Firefox has room for 1,000, Chromium for 125. */
const MOST_MEMORIES = 2000;

/** Weak references to what lives as long as a dead generation: its memory and, in Firefox, the buffer of that alone. */
let dead = [];
/** A weak reference to garbage. */
let garbage;

globalThis.unpanicNoteDead = ({ owner, number, memory }) => {
  if (memory)
    dead.push({
      name: `generation ${number} of ${owner.name}`,
      parts: [memory, memory.buffer].map((it) => new WeakRef(it)),
    });
};

globalThis.unpanicGenerations = {
  /** Begins a test. */
  begin() {
    dead = [];
  },

  /** How many have died in this test. */
  count: () => dead.length,
};

/** Verbs. A weak reference keeps what it names until the event loop turns, which it does between them. */
export const generations = {
  litter() {
    garbage = new WeakRef(new WebAssembly.Memory({ initial: 1 }));
    return "";
  },

  /** Has the engine collect garbage: Node does so if it is asked, and a browser before it refuses a memory. */
  press() {
    if (globalThis.gc) gc();
    else if (isRefused(MOST_MEMORIES)) isRefused(1); // Firefox refuses one more before it collects these
    return "";
  },

  /** Names the generations that were not collected, as a JSON list; none, if the engine has collected nothing. */
  alive() {
    const alive = garbage.deref() ? [] : dead.filter(({ parts }) => parts.some((part) => part.deref()));
    return JSON.stringify(alive.map(({ name }) => name));
  },
};

/** Makes memories, and returns whether the browser refused one. */
function isRefused(most) {
  const memories = [];
  try {
    while (memories.length < most) memories.push(new WebAssembly.Memory({ initial: 1 }));
    return false;
  } catch {
    return true;
  }
}
