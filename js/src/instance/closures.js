/** Rust closures, as the glue wraps them in JavaScript functions. */

/**
 * Is that function a Rust closure? Glue before 2025 keeps the closure's state in a property `original`.
 * @param {any} value
 */
export function isRustClosure(value) {
  if (typeof value !== "function") return false;
  try {
    return typeof value._wbg_cb_unref === "function" || typeof value.original?.cnt === "number";
  } catch {
    return false; // a proxy that throws when it is looked at
  }
}
