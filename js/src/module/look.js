/**
 * Reads the getters of an object without changing it. Getters are Rust code: they may panic, and may change the object.
 * So they run in a copy of the instance, which is thrown away.
 */

import { recordAsBefore, recordMore } from "../diagnosis/recording.js";
import { Generation } from "../instance/generation.js";
import { Stopwatch } from "../instance/stopwatch.js";
import { call } from "./call.js";

/** @import {ModuleCore} from "./core.js" */
/** @import {Owner} from "../types.js" */

const PAGE = 65536;
/** A memory up to this size is copied, which takes some milliseconds. */
const MOST_BYTES = 16 * 2 ** 20;

/** A getter that computes longer than this is not read to its end, where calls can be stopped. */
const MOST_MS = 100;

/** The owner of a copy: it has no host, and ignores what the copy reports. */
const ISOLATED = /** @type {Owner} */ (
  /** @type {unknown} */ ({
    stopwatch: new Stopwatch(
      () => MOST_MS,
      () => false,
    ),
    active: 1,
    nextId: 1,
    memoryPages: Infinity,
    activeName: () => "",
    isStarting: () => true,
    endBurst: () => {},
    noteRaised: () => {},
    lastRaised: () => null,
  })
);

/** Whether a getter runs in a copy. */
let looking = false;
/** Whether that getter wanted to call Python. */
let wasRefused = false;

/** Must Python not be called back? It must not, if a getter runs that no user has called. */
export function refuseCallback() {
  wasRefused ||= looking;
  return looking;
}

/**
 * Reads getters of an object, up to the first that fails. Where there can be no copy, only public fields are read.
 * @param {ModuleCore} module its generation lives, and none of its frames is on the stack
 * @param {number} id of the object @param {number} index of its class @param {string[]} names of the getters
 * @returns {unknown[]} how the last getter failed (the kind of a diagnosis; `error` if the glue threw; empty if it did
 *   not fail), and then for each getter that returned whether its value is plain data, and the data
 */
export function look(module, id, index, names) {
  const { generation, adapter } = module;
  const object = generation.objects.get(id);
  if (!object || looking) return [""];
  // The getters of a wrapper call the instance that its fields belong to, which is not the copy.
  const { isWrapper } = module.description.classes[index];
  const canCopy = adapter.canCopy && module.atOnce && generation.memoryBytes <= MOST_BYTES && !isWrapper;
  return (canCopy && lookAtCopy(module, object, index, names)) || lookAtFields(module, object, index, names);
}

/** @param {ModuleCore} module @param {any} object @param {number} index @param {string[]} names */
function lookAtFields(module, object, index, names) {
  const { name, getters } = module.description.classes[index];
  const isField = (/** @type {string} */ key) => getters.some((getter) => getter.isField && getter.name === key);
  try {
    const { read } = /** @type {{read: unknown[]}} */ (call(module, { name }, () => readAll(object, names, isField)));
    return ["", ...read];
  } catch {
    return [""]; // the failure was reported
  }
}

/** @param {ModuleCore} module @param {any} object @param {number} index @param {string[]} names */
function lookAtCopy({ generation, description, adapter }, object, index, names) {
  const copy = new Generation(ISOLATED, generation.number, generation.unwinds);
  const panicsBefore = generation.panics.length;
  const limit = recordMore();
  looking = true;
  try {
    adapter.make(copy);
    copyState(generation, copy);
    const { name } = description.classes[index];
    const type = copy.exports[name] ?? copy.hidden[name];
    const { read, failed } = readAll(Object.assign(Object.create(type.prototype), object), names);
    // The copy of Rust's memory calls the hook of the generation.
    const panicked = generation.panics.length > panicsBefore || copy.panics.length > 0;
    return [failed && (panicked ? "panic" : (copy.dead?.diagnosis?.kind ?? "error")), ...read];
  } catch {
    return null; // there is no memory for a copy
  } finally {
    looking = false;
    generation.panics.splice(panicsBefore);
    generation.recordStacks();
    recordAsBefore(limit);
    if (copy.dead === null) copy.die(null);
    copy.letGo();
  }
}

/** Copies all that Rust holds. @param {Generation} from @param {Generation} to a new one */
function copyState(from, to) {
  const { memory, externrefs } = /** @type {{memory: WebAssembly.Memory, externrefs: WebAssembly.Table | null}} */ (to);
  const missing = from.memoryBytes - to.memoryBytes;
  if (missing > 0) memory.grow(missing / PAGE);
  new Uint8Array(memory.buffer).set(new Uint8Array(/** @type {WebAssembly.Memory} */ (from.memory).buffer));
  const values = from.externrefs;
  if (externrefs && values) {
    externrefs.grow(Math.max(0, values.length - externrefs.length));
    for (let place = 0; place < values.length; place++) externrefs.set(place, values.get(place));
  }
  const heap = to.heap();
  heap.splice(0, heap.length, ...from.heap());
  to.nextPlace(from.nextPlace());
}

/** @param {any} object @param {string[]} names @param {(name: string) => boolean} [isWanted] */
function readAll(object, names, isWanted = () => true) {
  /** @type {unknown[]} */
  const read = [];
  for (const name of names) {
    if (!isWanted(name)) {
      read.push(false, undefined);
      continue;
    }
    try {
      wasRefused = false;
      const value = object[name];
      const plain = !wasRefused && isPlain(value);
      read.push(plain, plain ? value : undefined);
    } catch {
      return { read, failed: "failed" };
    }
  }
  return { read, failed: "" };
}

/** Does this value refer to nothing else? @param {unknown} value */
function isPlain(value) {
  if (value === null || !/^(object|function)$/.test(typeof value)) return typeof value !== "symbol";
  return ArrayBuffer.isView(value) || (Array.isArray(value) && value.every((item) => typeof item === "string"));
}
