/**
 * What Rust throws on purpose: `throw_str`, `throw_val`, `unwrap_throw`, the `Err` of old glue, and what wasm-bindgen
 * itself refuses. To its author that is an ordinary error, so it is no crash. But it skips destructors: the frames that
 * it left stay on the shadow stack, and what they had borrowed stays borrowed. What stays, and what can be mended, is
 * told here; what comes of it is the host's decision.
 */

import { describeThrown } from "../diagnosis/diagnosis.js";

/** @import {Held, Reason, Refused, WasmInterface} from "../types.js" */
/** @import {Generation} from "./generation.js" */

/** An import of that name throws what Rust wants to be thrown. */
export const THROWS = /^(?:__wbg_)?__wbindgen_(?:re)?throw(?:_(?!critical)|$)/;
const RETHROWS = /rethrow/;

/** With an abort handler, an import of that name wraps what another import threw. */
export const WRAPS = /^(?:__wbg_)?__wbindgen_rethrow_critical/;

// What wasm-bindgen says before any code of the author's has run.
const REFUSALS = /** @type {[Refused, RegExp][]} */ ([
  [
    "in use",
    /^(?:recursive use of an object detected|attempted to take ownership of Rust value while it was borrowed)/,
  ],
  // The lanes look first, so it came twice, or through a list.
  ["gone", /^null pointer passed to rust$/],
  ["closure", /^closure invoked recursively or after being dropped/],
]);

// winit leaves its caller by a throw, while callbacks go on using the caller's frames.
const KEEPS_ITS_FRAMES = /^Using exceptions for control flow/;

// From these versions on the glue throws an `Err` itself, after the export has returned; and an unwinding build puts the
// pointer of its stack back, whatever leaves it.
const RETURNS_ERR = 2079;
const RESTORES_STACK = 2127;

/**
 * What the version of wasm-bindgen tells, which stands in the Wasm file.
 * @param {WebAssembly.Module} module @param {boolean} unwinds
 * @returns {{throwsErr: boolean, restoresStack: boolean}} throwsErr: an `Err` leaves Rust as an exception, when all that
 *   the call had borrowed was let go; restoresStack: nothing that is thrown leaves frames behind
 */
export function readHabits(module, unwinds) {
  const [producers] = WebAssembly.Module.customSections(module, "producers");
  const text = producers ? new TextDecoder("latin1").decode(producers) : "";
  const [major, minor, patch] = /wasm-bindgen.(\d+)\.(\d+)\.(\d+)/s.exec(text)?.slice(1).map(Number) ?? [0, 2, 79];
  const version = major * 1e6 + minor * 1000 + patch;
  return { throwsErr: version < RETURNS_ERR, restoresStack: unwinds && version >= RESTORES_STACK };
}

/**
 * The export with which the glue hands Rust what an import threw, by its place among the glue's values. Where it has no
 * name of its own, the glue tells which it is.
 * @param {string} source of the glue
 */
export function exceptionStore(source) {
  return /\.(__wbindgen_export_\d+)\(addHeapObject\(/.exec(source)?.[1] ?? "__wbindgen_exn_store";
}

/** An exception that an import threw. */
export class Thrown {
  /** @param {unknown} error @param {string} name of the import */
  constructor(error, name) {
    this.error = error;
    this.onPurpose = THROWS.test(name);
    this.again = RETHROWS.test(name);
  }

  /** What wasm-bindgen refused, before any code of the author's ran; null: it was not wasm-bindgen. @returns {Refused | null} */
  get refused() {
    const text = describeThrown(this.error);
    return REFUSALS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
  }

  /** May the frames that it left be given up? */
  get leavesFrames() {
    return !KEEPS_ITS_FRAMES.test(describeThrown(this.error));
  }
}

/** A module is worn out when less of its stack than this was never in use. */
const SPARE_SHARE = 0.5;

/**
 * The stack on which Rust keeps what has an address. It begins at the lowest address of the memory and grows down to it.
 * Where the module lets JavaScript move its pointer, the frames that a throw left are given up; else they are lost, and
 * how much of the stack was never written to tells whether enough is left.
 */
export class ShadowStack {
  /** @param {WebAssembly.Exports} exports the instance's own, before anything of it has run @param {WasmInterface} wasm */
  constructor(exports, wasm) {
    const { __stack_pointer: pointer, __wbindgen_add_to_stack_pointer: add } = /** @type {Record<string, any>} */ (
      exports
    );
    /** @type {(() => number) | null} */
    this.read = null;
    /** @type {(address: number) => void} */
    this.write = () => {};
    if (pointer instanceof WebAssembly.Global) {
      this.read = () => pointer.value;
      this.write = (address) => {
        pointer.value = address;
      };
    } else if (typeof add === "function") {
      this.read = () => add(0);
      this.write = (address) => add(address - add(0));
    }
    /** Where it begins: no frame of Rust is on it. */
    this.top = this.read?.() ?? wasm.stackTop;
  }

  /** Gives up all frames. @returns {boolean} false: the module does not let JavaScript do so */
  clear() {
    if (this.read === null) return false;
    if (this.read() !== this.top) this.write(this.top);
    return true;
  }

  /** All frames stay where they are. */
  keep() {
    if (this.read !== null) this.top = this.read();
  }

  /** Has more of it been in use than may be? Below the pointer's lowest place all is zero. @param {WebAssembly.Memory | null} memory */
  isWorn(memory) {
    if (memory === null) return true;
    const spare = Math.floor((this.top >>> 2) * SPARE_SHARE);
    const words = new Int32Array(memory.buffer, 0, spare);
    for (let at = 0; at < spare; at++) if (words[at] !== 0) return true;
    return spare === 0;
  }
}

/**
 * What a throw on purpose leaves behind in the call that it ended. Also where panics unwind: the compiler takes it that
 * no import of wasm-bindgen's throws, and runs no destructors.
 * @param {Generation} generation @param {Thrown} thrown
 * @param {Held | null} held the objects of the call, if it has any
 * @returns {Reason} empty: nothing
 */
export function leftBy(generation, thrown, held) {
  if (held === null) return "";
  const { objects, throwsErr: isErr } = generation.owner;
  if (thrown.again && isErr) return "";
  if (thrown.refused !== "in use") return objects.areBorrowed(generation, held) ? "borrowed" : "";
  // Objects are borrowed from the first to the last: where the first was refused, none is.
  const used = held.ids.map((id) => objects.holderOf(generation, id, held) !== "");
  return used.length === 1 || used.lastIndexOf(true) === 0 ? "" : "crashed";
}
