/**
 * Views of an instance's memory that mark what is written through them, for glue whose module can be rolled back. The
 * glue gets them in the place of `Uint8Array`, `DataView` and so on; views of other buffers are the engine's own.
 */

/** @import {Holder} from "../types.js" */

/** @type {any} */
const Natives = globalThis;

/** The setters of a `DataView`, with how many bytes they write. */
const SETTERS = {
  setInt8: 1,
  setUint8: 1,
  setInt16: 2,
  setUint16: 2,
  setInt32: 4,
  setUint32: 4,
  setFloat32: 4,
  setFloat64: 8,
  setBigInt64: 8,
  setBigUint64: 8,
};

/**
 * @param {Holder} holder of the shadow of the instance @param {readonly string[]} names of constructors
 * @returns {Function[]}
 */
export function markingViews(holder, names) {
  return names.map((name) => {
    const makeMarking = name === "DataView" ? () => viewClass(holder) : () => arrayClass(Natives[name], holder);
    return choose(Natives[name], makeMarking, holder);
  });
}

/** The engine's own constructors. @param {readonly string[]} names @returns {Function[]} */
export function ordinaryViews(names) {
  return names.map((name) => Natives[name]);
}

/**
 * A constructor that makes a marking view of the instance's memory, and an ordinary one of everything else.
 * @param {any} Native @param {() => any} makeMarking makes the class, when it is needed first @param {Holder} holder
 */
function choose(Native, makeMarking, holder) {
  /** @type {any} */
  let Marking;
  return new Proxy(Native, {
    construct(_target, args) {
      if (holder.shadow === null || args[0] !== holder.shadow.memory.buffer) return new Native(...args);
      Marking ??= makeMarking();
      return new Marking(...args);
    },
  });
}

/** @param {any} Native @param {Holder} holder @returns {any} */
function arrayClass(Native, holder) {
  const size = Native.BYTES_PER_ELEMENT;
  const Marking = class extends Native {
    /** @param {any} buffer @param {number} [offset] @param {number} [length] */
    constructor(buffer, offset, length) {
      super(buffer, offset, length);
      // A window is made to be written to, maybe by the browser itself.
      if (offset !== undefined) holder.shadow?.mark(this.byteOffset, this.byteLength);
    }

    /**
     * Where the glue only reads, it calls the engine's own (`readEdits` in glue/factory.js).
     * @param {number} begin @param {number} end
     */
    subarray(begin, end) {
      const window = super.subarray(begin, end);
      holder.shadow?.mark(window.byteOffset, window.byteLength);
      return window;
    }

    /** @param {ArrayLike<any>} source @param {number} [offset] */
    set(source, offset = 0) {
      holder.shadow?.mark(this.byteOffset + offset * size, source.length * size);
      super.set(source, offset);
    }

    /** @param {any} value @param {number} [begin] @param {number} [end] */
    fill(value, begin, end) {
      this.subarray(begin ?? 0, end ?? this.length).fill(value);
      return this;
    }
  };
  return disguised(Marking, Native);
}

/**
 * A class that says of itself that it is the engine's own: what its methods make is no view of memory that marks, and
 * who gets a view takes it for an ordinary one.
 * @param {any} Marking @param {any} Native
 */
function disguised(Marking, Native) {
  Object.defineProperty(Marking.prototype, "constructor", { value: Native });
  return Marking;
}

/** @param {Holder} holder @returns {any} */
function viewClass(holder) {
  const MarkingView = class extends /** @type {any} */ (DataView) {};
  for (const [name, size] of Object.entries(SETTERS)) {
    const write = /** @type {any} */ (DataView.prototype)[name];
    /** @type {any} */ (MarkingView.prototype)[name] = function (
      /** @type {number} */ at,
      /** @type {any} */ value,
      /** @type {boolean} */ littleEndian,
    ) {
      holder.shadow?.mark(this.byteOffset + at, size);
      write.call(this, at, value, littleEndian);
    };
  }
  return disguised(MarkingView, DataView);
}

/** The same for glue whose module is not rolled back. @param {any} view @param {any} index @param {any} value */
export function ordinaryStore(view, index, value) {
  view[index] = value;
  return value;
}

/**
 * What the glue's `view()[index] = value` becomes, where glue writes the result of an import like that.
 * @param {Holder} holder
 */
export function markingStore(holder) {
  return (/** @type {any} */ view, /** @type {any} */ index, /** @type {any} */ value) => {
    const { shadow } = holder;
    if (shadow !== null && ArrayBuffer.isView(view) && view.buffer === shadow.memory.buffer) {
      const size = /** @type {any} */ (view).BYTES_PER_ELEMENT;
      shadow.mark(view.byteOffset + index * size, size);
    }
    view[index] = value;
    return value;
  };
}
