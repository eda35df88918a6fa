/**
 * Points: states of a module that it can go back to, any number of times and in any order. The shadow keeps the memory
 * of a point, card by card, as it changes (shadow.js). All else is copied when the point is taken.
 */

import { disown, own } from "./registries.js";
import { holdsFunctions } from "./transaction.js";

/** @import {Generation} from "./generation.js" */
/** @import {Transaction} from "./transaction.js" */
/** @import {InFlightCall, Registration} from "../types.js" */

/** Stands for a function of the module in a table, which does not change. */
export const OWN_FUNCTION = Symbol("own");

export class Point {
  /**
   * Takes the state of a generation that lives, with none of its frames on the stack.
   * @param {Generation} generation
   * @throws {RangeError} the browser has no room for a copy of the memory
   */
  constructor(generation) {
    const transaction = /** @type {Transaction} */ (generation.transaction);
    transaction.begin();
    this.memory = transaction.shadow.keep();
    this.globals = [...transaction.values];
    this.tables = transaction.tables.map(readTable);
    this.heap = transaction.heap;
    this.nextPlace = transaction.nextPlace;
    this.retiring = generation.retiring;
    /** @type {[id: number, object: any, key: string, pointer: unknown][]} the objects that the other side holds */
    this.objects = [...generation.objects]
      .filter(([, object]) => generation.owner.objects.owns(object))
      .map(([id, object]) => [id, object, keyOf(object), /** @type {any} */ (object)[keyOf(object)]]);
    /** @type {Set<Registration>} */
    this.live = new Set(generation.holder?.live);
    this.queued = [...generation.queued];
    this.lentCount = generation.closures.count;
    this.undoneClosures = generation.closures.undone;
    this.nextId = generation.owner.nextId;
  }

  /** How many bytes it takes, as far as they are its own. */
  get byteLength() {
    let count = 0;
    for (const saved of this.memory.cards.values()) count += saved.length;
    return count;
  }
}

/** @param {WebAssembly.Table} table */
function readTable(table) {
  const isOwn = holdsFunctions(table);
  return Array.from({ length: table.length }, (_, at) => {
    const value = table.get(at);
    return isOwn && value !== null ? OWN_FUNCTION : value;
  });
}

/** @param {WebAssembly.Table} table @param {unknown[]} values */
function writeTable(table, values) {
  values.forEach((value, at) => {
    if (value !== OWN_FUNCTION && table.get(at) !== value) table.set(at, value);
  });
}

/** The property with the address of a Rust object. @param {object} object the glue's */
const keyOf = (object) => ("__wbg_ptr" in object ? "__wbg_ptr" : "ptr");

/**
 * What a registration goes by.
 * @param {Registration} registration @returns {object | undefined} undefined: it is gone
 */
const tokenOf = ({ held, target, copy }) => (copy === null ? target.deref() : held);

/**
 * Brings the state of a point back.
 * @param {Generation} generation that lives, with none of its frames on the stack @param {Point} point of it
 * @returns {{interrupted: InFlightCall[]}} interrupted: the calls in flight that began after it
 */
export function goBack(generation, point) {
  const transaction = /** @type {Transaction} */ (generation.transaction);
  // What changed lately is put into the shadow first, for other points.
  transaction.begin();
  bringBack(generation, transaction, point);
  const { closures } = generation;
  const last = point.undoneClosures.at(-1);
  const isAdjacent = last !== undefined && last[1] === point.lentCount;
  closures.undone = [
    ...point.undoneClosures.slice(0, isAdjacent ? -1 : undefined),
    [isAdjacent ? last[0] : point.lentCount, closures.count],
  ];
  // Rust believes that its tasks go on soon.
  for (const queue of point.queued) if (!generation.queued.has(queue)) queue();
  bringObjectsBack(generation, point);
  bringFinalizersBack(generation, point);
  generation.retiring = point.retiring;
  // So that a call that fails next goes back to here.
  transaction.begin();
  return { interrupted: [...generation.inFlight.values()].filter(({ id }) => id >= point.nextId) };
}

/** @param {Generation} generation @param {Transaction} transaction @param {Point} point */
function bringBack(generation, transaction, { memory, globals, tables, heap, nextPlace }) {
  const { shadow } = transaction;
  const hasGrown =
    shadow.copy.length !== memory.size || transaction.tables.some((table, at) => table.length !== tables[at].length);
  shadow.goTo(memory);
  if (hasGrown) {
    transaction.lengths = tables.map(({ length }) => length);
    // Who has the memory itself goes on with it.
    if (!transaction.hasSameTables() || !shadow.isLent) generation.transplant?.();
  }
  transaction.tables.forEach((table, at) => {
    writeTable(table, tables[at]);
  });
  transaction.globals.forEach((global, at) => {
    global.value = globals[at];
  });
  transaction.heap = heap;
  transaction.nextPlace = nextPlace;
  transaction.restoreHeap();
}

/** @param {Generation} generation @param {Point} point */
function bringObjectsBack({ objects, owner }, point) {
  for (const [id, object] of [...objects]) {
    if (!owner.objects.owns(object)) continue;
    /** @type {any} */ (object)[keyOf(object)] = 0;
    objects.delete(id);
  }
  for (const [id, object, key, pointer] of point.objects) {
    object[key] = pointer;
    objects.set(id, object);
    owner.objects.restore(id);
  }
}

/** @param {Generation} generation @param {Point} point */
function bringFinalizersBack({ holder }, point) {
  const live = /** @type {Set<Registration>} */ (holder?.live);
  for (const registration of live) {
    const token = tokenOf(registration);
    if (point.live.has(registration)) continue;
    if (token) {
      registration.registry.unregister(token);
      disown(token, registration.held);
    }
    live.delete(registration);
  }
  for (const registration of point.live) {
    const token = tokenOf(registration);
    if (live.has(registration) && token === registration.held) continue; // a closure keeps its state
    if (token) own(token, registration);
    // Nobody can free it any more but this.
    if (!registration.target.deref()) registration.registry.free(registration.held);
  }
}
