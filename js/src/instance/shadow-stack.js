/** @import {WasmInterface} from "../types.js" */

/** If less than this share of its stack has never been in use, a module is worn out. */
const SPARE_SHARE = 0.5;

/**
 * The shadow stack: the part of the memory in which Rust keeps local values that need an address. It begins at a high
 * address and grows down to the lowest one. An exception that skips destructors leaves frames on it. Where the module
 * lets JavaScript move the stack pointer, these frames are given up. Elsewhere they are lost, and how much of the stack
 * was never written to tells whether enough is left.
 */
export class ShadowStack {
  /**
   * @param {WebAssembly.Exports} exports the instance's own, before any of its code has run @param {WasmInterface} wasm
   */
  constructor(exports, wasm) {
    const { __stack_pointer: pointer, __wbindgen_add_to_stack_pointer: add } = /** @type {Record<string, any>} */ (
      exports
    );
    /** @type {(() => number) | null} null: the module does not tell its stack pointer */
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
    /** The stack pointer while no frame of Rust is on the stack. */
    this.top = this.read?.() ?? wasm.stackTop;
  }

  /** Gives up all frames. @returns {boolean} false: the module does not let JavaScript do so */
  clear() {
    if (this.read === null) return false;
    if (this.read() !== this.top) this.write(this.top);
    return true;
  }

  /** Leaves all frames where they are: from now on the stack begins below them. */
  keep() {
    if (this.read !== null) this.top = this.read();
  }

  /**
   * Has so much of it been in use that too little is left? Below the lowest frame that there ever was, all is zero.
   * @param {WebAssembly.Memory | null} memory
   */
  isWorn(memory) {
    if (memory === null) return true;
    const spare = Math.floor((this.top >>> 2) * SPARE_SHARE);
    const words = new Int32Array(memory.buffer, 0, spare);
    for (let at = 0; at < spare; at++) if (words[at] !== 0) return true;
    return spare === 0;
  }
}
