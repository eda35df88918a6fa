// Which dead generations of Rust modules are still referenced. unpanic tells of each that lets go of its instance.

/** So many Wasm memories no browser allows at once: Firefox has room for 1,000, Chromium for 125. */
const MOST_MEMORIES = 2000;

/** So often the event loop turns, at most, until the engine tells what it has collected. */
const MOST_TURNS = 50;
const TURN_MS = 10;

/**
 * The generations that have died in this test. `parts` is how many are left of what lives as long as one of them: its
 * memory and, in Firefox, the buffer of that alone.
 */
let dead = [];
/** The same of something that nobody refers to. */
let garbage;
/** Whether the engine collects garbage when it is made to. */
let collects = true;

// A WeakRef would keep the memory until the event loop turns.
const registry = new FinalizationRegistry((record) => {
  record.parts -= 1;
});

globalThis.unpanicNoteDead = ({ owner, number, memory }) => {
  const record = { name: `generation ${number} of ${owner.name}`, parts: 2 };
  dead.push(record);
  registry.register(memory, record);
  registry.register(memory.buffer, record);
};

globalThis.unpanicGenerations = {
  /** Begins a test. */
  begin() {
    dead = [];
  },

  /** How many have died in this test. */
  count: () => dead.length,
};

/** Verbs: they look for dead generations that were not collected. */
export const generations = {
  litter() {
    garbage = { parts: 1 };
    registry.register(new WebAssembly.Memory({ initial: 1 }), garbage);
    return "";
  },

  /** Has the engine collect garbage: Node does so if it is asked, and a browser before it refuses a memory. */
  press() {
    if (globalThis.gc) gc();
    else if (isRefused(MOST_MEMORIES)) isRefused(1); // Firefox refuses one more before it collects these
    return "";
  },

  /** Names the generations that were not collected, as a JSON list; none, if the engine has collected nothing. */
  async alive() {
    for (let turn = 0; collects && garbage.parts > 0; turn++) {
      await new Promise((resolve) => setTimeout(resolve, TURN_MS));
      collects = turn < MOST_TURNS;
    }
    const alive = collects ? dead.filter(({ parts }) => parts > 0) : [];
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
