/**
 * Tasks: how a future is recognised that the executor of `wasm-bindgen-futures` polls. Its task holds all that takes
 * part in a poll: the future (a pointer to it, and one to the functions of its type), and the waker that the future is
 * polled with (a pointer to the task, and one to four functions). Rust chooses the order of fields. Nothing else looks
 * like that: the object that is called belongs to what the waker wakes, and the waker itself is in there, too.
 */

/** What a poll returns when the future has ended. */
export const READY = 0;

/** With an import of this name Rust has a closure called once, later. */
export const WAKES_LATER = /^__wbg_(?:then|catch|finally|queueMicrotask)_/;

const WORD = 4;
/** How many words of a context are looked at, and how many of a task. */
const CONTEXT = 4;
const TASK = 12;
/** Where the functions of a future's type have `poll`: after the destructor, the size and the alignment. */
const POLL = 3;

/**
 * @param {WebAssembly.Memory} memory @param {number} future @param {number} context @param {number} slot that is called
 * @returns {number} where the future is in its task; 0: it is no poll of a task
 */
export function findTask(memory, future, context, slot) {
  const words = new Uint32Array(memory.buffer);
  const last = memory.buffer.byteLength - WORD;
  /** @param {number} address @param {number} [field] */
  const read = (address, field = 0) => {
    const place = (address >>> 0) + field * WORD;
    return place % WORD === 0 && place <= last ? words[place / WORD] : 0;
  };
  for (let field = 0; field < CONTEXT; field++) {
    const waker = read(context, field);
    for (const task of [read(waker), read(waker, 1)]) {
      if (task === 0 || waker < task || waker >= task + TASK * WORD) continue;
      for (let at = 0; at < TASK; at++)
        if (read(task, at) === future >>> 0 && read(read(task, at + 1), POLL) === slot >>> 0) return task + at * WORD;
    }
  }
  return 0;
}
