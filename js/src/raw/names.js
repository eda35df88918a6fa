/** The names of parameters, which a Wasm file tells in its section "name". */

import { Reader } from "../wasm/reader.js";

const LOCALS = 2;

/**
 * @param {WebAssembly.Module} module
 * @returns {Map<number, string[]>} by the index of the function; only identifiers, each once in a function
 */
export function readParameterNames(module) {
  /** @type {Map<number, string[]>} */
  const names = new Map();
  const [content] = WebAssembly.Module.customSections(module, "name");
  if (!content) return names;
  const bytes = new Uint8Array(content);
  const section = new Reader(bytes, 0, bytes.length, "the name section");
  try {
    while (section.at < section.end) {
      const id = section.byte();
      const end = section.integer() + section.at;
      if (id === LOCALS) section.list(() => names.set(section.integer(), readLocals(section)));
      section.at = end;
    }
  } catch {
    // Names are an aid: the functions work without.
  }
  return names;
}

/** @param {Reader} section */
function readLocals(section) {
  /** @type {string[]} */
  const locals = [];
  section.list(() => {
    const index = section.integer();
    const name = section.name().replace(/\W/g, "_");
    if (/^[A-Za-z_]/.test(name) && !locals.includes(name)) locals[index] = name;
  });
  return locals;
}
