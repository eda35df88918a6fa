/** The versions of wasm-bindgen differ in how an exception leaves Rust. */

// From this version on the glue throws an `Err` itself, after the export has returned.
const RETURNS_ERR = 2079;
// From this version on an unwinding build restores its stack pointer, whatever leaves it.
const RESTORES_STACK = 2127;

/**
 * Reads the habits from the version of wasm-bindgen, which stands in the Wasm file.
 * @param {WebAssembly.Module} module @param {boolean} unwinds
 * @returns {{throwsErr: boolean, restoresStack: boolean}} throwsErr: an `Err` leaves Rust as an exception, after the
 *   call has let go of all that it had borrowed; restoresStack: no exception leaves frames on the stack
 */
export function readHabits(module, unwinds) {
  const [producers] = WebAssembly.Module.customSections(module, "producers");
  const text = producers ? new TextDecoder("latin1").decode(producers) : "";
  const [major, minor, patch] = /wasm-bindgen.(\d+)\.(\d+)\.(\d+)/s.exec(text)?.slice(1).map(Number) ?? [0, 2, 79];
  const version = major * 1e6 + minor * 1000 + patch;
  return { throwsErr: version < RETURNS_ERR, restoresStack: unwinds && version >= RESTORES_STACK };
}

/**
 * The export to which the glue hands what an import threw, as an index among the glue's values. Where that export has
 * no name of its own, the source of the glue tells which one it is.
 * @param {string} source of the glue
 */
export function exceptionStore(source) {
  return /\.(__wbindgen_export_\d+)\(addHeapObject\(/.exec(source)?.[1] ?? "__wbindgen_exn_store";
}
