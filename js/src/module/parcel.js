/**
 * Data without a type, as Python packs it: one flat list of what is in it, and a plan of how that goes together. It
 * crosses at once, whatever it holds, itself included.
 *
 * A parcel is opened inside of the call that it is for. The module's objects in it are numbers until then, so nothing
 * that could put another generation in place comes between looking them up and lowering them.
 */

/** By the kinds of a plan, `ARRAY`, `OBJECT`, `MAP`, `SET`, `BIG_INTEGER` and `NULL` of py/unpanic/_containers.py: what it is at first, given a leaf. */
const MAKE = [
  () => [],
  () => ({}),
  () => new Map(),
  () => new Set(),
  (/** @type {any} */ leaf) => BigInt(leaf),
  () => null,
];

/** Added to a kind whose parts are leaves that stand one behind the other: then the place of the first is told, not all. */
const RUN = 6;

/** The length that no engine's texts exceed. */
const MOST = 2 ** 31 - 2;

/**
 * Puts together what Python packed.
 *
 * @param {any[]} packed how long the plan is, the plan, and the leaves. The plan tells of each container, the outermost
 *   first, its kind, how many parts it has, and the place of each: that of a leaf, or of a container as its complement.
 *   Keys are parts too. Without a plan it is one leaf.
 */
export function unpack(packed) {
  const end = 1 + packed[0];
  if (end === 1) return packed[1];
  /** @type {any[]} */
  const made = [];
  for (let at = 1; at < end; at = after(packed, at)) made.push(MAKE[packed[at] % RUN](packed[end + packed[at + 2]]));
  for (let at = 1, index = 0; at < end; at = after(packed, at), index++) fill(made[index], at);
  return made[0];

  /** @param {any} target @param {number} at */
  function fill(target, at) {
    const kind = packed[at] % RUN;
    const count = packed[at + 1];
    const isRun = packed[at] >= RUN;
    const part = (/** @type {number} */ number) => {
      const place = isRun ? packed[at + 2] + number : packed[at + 2 + number];
      return place < 0 ? made[~place] : packed[end + place];
    };
    if (kind === 0) for (let number = 0; number < count; number++) target.push(part(number));
    else if (kind === 1)
      for (let number = 0; number < count; number += 2) setOwn(target, part(number), part(number + 1));
    else if (kind === 2) for (let number = 0; number < count; number += 2) target.set(part(number), part(number + 1));
    else if (kind === 3) for (let number = 0; number < count; number++) target.add(part(number));
  }
}

/** Where the next container's entry begins. @param {any[]} packed @param {number} at */
function after(packed, at) {
  return at + 2 + (packed[at] >= RUN ? 1 : packed[at + 1]);
}

/** A property of its own, also one that is named like something inherited: `__proto__` would set the prototype. @param {any} target @param {any} key @param {unknown} value */
function setOwn(target, key, value) {
  if (key in target)
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

/** What Python packed with objects of the module in it, or their classes' names and numbers. */
export class Parcel {
  /**
   * @param {any[]} packed see `unpack`; at the place of an object is its number, and behind it its class
   * @param {Iterable<number> | null} [places] of the objects among the leaves
   */
  constructor(packed, places) {
    this.packed = packed;
    this.places = places ?? [];
  }

  /**
   * Once.
   * @param {(id: number, className: string) => object} lookUp
   * @returns {{value: any, ids: number[]}} what was in it, and the numbers of the objects
   */
  open(lookUp) {
    const { packed } = this;
    const first = 1 + packed[0];
    const ids = [];
    for (const place of this.places) {
      const id = packed[first + place];
      packed[first + place] = lookUp(id, packed[first + place + 1]);
      ids.push(id);
    }
    return { value: unpack(packed), ids };
  }
}

/**
 * Which elements of a typed array differ from what they were: the first, and the one behind the last.
 * @param {ArrayLike<unknown>} now @param {ArrayLike<unknown>} before
 * @returns {[number, number] | null} null: none is
 */
export function changed(now, before) {
  const { length } = before;
  if (now.length !== length) return null; // its memory went elsewhere
  let start = 0;
  while (start < length && Object.is(now[start], before[start])) start++;
  if (start === length) return null;
  let end = length;
  while (Object.is(now[end - 1], before[end - 1])) end--;
  return [start, end];
}

/**
 * The properties of a plain object, of whatever realm; null for anything else.
 * @param {any} value @returns {[string, unknown][] | null}
 */
export function entriesOf(value) {
  const prototype = Object.getPrototypeOf(value);
  const isPlain =
    prototype === null || (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf"));
  return isPlain ? Object.entries(value) : null;
}

/** How long a text can be here, in UTF-16. An engine makes such a one of its parts without memory for all of it. */
export function longestText() {
  let fits = 2 ** 28 - 32;
  for (let more = 2 ** 30; more >= 2; more /= 2) {
    while (canBe(fits + more)) fits += more;
  }
  return fits;
}

/** @param {number} length even */
function canBe(length) {
  try {
    return length <= MOST && "ab".repeat(length / 2).length === length;
  } catch {
    return false;
  }
}
