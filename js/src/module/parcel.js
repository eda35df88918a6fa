/**
 * Data without a declared type, as Python packs it: one flat list of values (leaves), and a plan that says how they go
 * together. Data of any shape crosses in one step, also data that holds itself.
 *
 * A parcel is opened inside the call that it is for. Until then the module's objects in it are numbers. So nothing can
 * put another generation in place between the look-up of an object and its use.
 */

/**
 * Makes a container, still empty, or a value of a leaf. The index is its kind in a plan: `ARRAY`, `OBJECT`, `MAP`,
 * `SET`, `BIG_INTEGER` and `NULL` of py/unpanic/_values/containers.py.
 */
const MAKERS = [
  () => [],
  () => ({}),
  () => new Map(),
  () => new Set(),
  (/** @type {any} */ leaf) => BigInt(leaf),
  () => null,
];

/** Added to a kind whose parts are consecutive leaves: then the plan has the place of the first one only. */
const RUN = 6;

/** No engine has longer texts. */
const MOST = 2 ** 31 - 2;

/**
 * Puts together what Python packed.
 *
 * @param {any[]} packed the length of the plan, the plan, and the leaves. The plan has for each container, beginning
 *   with the outermost, its kind, the number of its parts, and the place of each part: the index of a leaf, or the
 *   complement of the index of a container. Keys are parts too. If there is no plan, there is one leaf.
 */
export function unpack(packed) {
  const end = 1 + packed[0];
  if (end === 1) return packed[1];
  /** @type {any[]} */
  const containers = [];
  for (let at = 1; at < end; at = after(packed, at))
    containers.push(MAKERS[packed[at] % RUN](packed[end + packed[at + 2]]));
  for (let at = 1, index = 0; at < end; at = after(packed, at), index++) fill(containers[index], at);
  return containers[0];

  /** @param {any} target @param {number} at */
  function fill(target, at) {
    const kind = packed[at] % RUN;
    const count = packed[at + 1];
    const isRun = packed[at] >= RUN;
    const part = (/** @type {number} */ number) => {
      const place = isRun ? packed[at + 2] + number : packed[at + 2 + number];
      return place < 0 ? containers[~place] : packed[end + place];
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

/**
 * Gives an object a property of its own, also one that is named like an inherited one: to assign `__proto__` would set
 * the prototype.
 * @param {any} target @param {any} key @param {unknown} value
 */
function setOwn(target, key, value) {
  if (key in target)
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}

/** Data that Python packed, with objects of the module in it: their numbers and the names of their classes. */
export class Parcel {
  /**
   * @param {any[]} packed see `unpack`; at the place of an object is its number, and after it the name of its class
   * @param {Iterable<number> | null} [places] of the objects among the leaves
   */
  constructor(packed, places) {
    this.packed = packed;
    this.places = places ?? [];
  }

  /**
   * Puts the data together. This can be done once.
   * @param {(id: number, className: string) => object} lookUp
   * @returns {{value: any, ids: number[]}} the data, and the numbers of the objects in it
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
 * Which elements of a typed array have changed: the index of the first, and the one after the last.
 * @param {ArrayLike<unknown>} now @param {ArrayLike<unknown>} before
 * @returns {[number, number] | null} null: none has changed
 */
export function changed(now, before) {
  const { length } = before;
  if (now.length !== length) return null; // its memory was transferred
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

/**
 * The greatest length of a text in this engine, in UTF-16 units. An engine makes so long a text without copying its
 * parts.
 */
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
