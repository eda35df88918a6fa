/** Wasm files that are loaded in place of glue: which they are, where their glue may be, and what they are called. */

import { FetchError, GlueError, LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { MAGIC } from "../wasm/header.js";
import { moduleName } from "./naming.js";
import { fetchGlue } from "./sources.js";

/** @import {Settings} from "./opening.js" */
/** @import {Glue, GlueText, Imports, LoadOptions, ReadFile, WasmInterface} from "../types.js" */

/** Is that a URL of a Wasm file, or a Wasm file itself? @param {any} source */
export function isWasm(source) {
  if (typeof source === "string" || source instanceof URL) return /^[^?#]+\.wasm(?:$|[?#])/i.test(String(source));
  return (
    source instanceof Response ||
    source instanceof ArrayBuffer ||
    ArrayBuffer.isView(source) ||
    source instanceof /** @type {any} */ (WebAssembly.Module)
  );
}

/** @param {Uint8Array | undefined} bytes @returns {bytes is Uint8Array<ArrayBuffer>} */
export const isWasmFile = (bytes) => bytes !== undefined && MAGIC.every((byte, at) => bytes[at] === byte);

/** Has wasm-bindgen written that file, so that it cannot be used without its glue? @param {WasmInterface} wasm */
export function needsGlue({ imports, exports }) {
  return (
    imports.some(({ module }) => /^wbg$|^__wbindgen_|_bg\.js$/.test(module)) ||
    exports.some(({ name }) => name.startsWith("__wbindgen_"))
  );
}

/** The place of the glue beside a Wasm file. @param {string} place a URL or a path */
export function glueBeside(place) {
  return place.replace(/(?:_bg)?\.wasm(?=$|[?#])/i, ".js");
}

/**
 * The glue that lies beside a Wasm file of wasm-bindgen's.
 * @param {string} place of the Wasm file @param {GlueText | null} file @param {LoadOptions} how
 * @returns {Promise<GlueText>}
 */
export async function findGlue(place, file, how) {
  const url = glueBeside(place);
  if (url === place) {
    if (file) return file; // which is no glue: the error tells what it is
    throw noGlue(place, "hand");
  }
  if (file?.readFile) return readGlueBeside(place, file.readFile);
  try {
    const text = await fetchGlue(url, how);
    return { ...text, movedTo: text.url };
  } catch (error) {
    throw isInstance(error, FetchError) ? noGlue(place, url) : error;
  }
}

/** @param {string} place of the Wasm file @param {ReadFile} readFile reads what lies beside it */
export function readGlueBeside(place, readFile) {
  const url = glueBeside(place);
  const bytes = readFile(`./${url.split("/").pop()}`);
  if (!bytes) throw noGlue(place, url);
  return { source: new TextDecoder().decode(bytes), url, movedTo: url, readFile };
}

/** @param {string} place of a Wasm file of wasm-bindgen's @param {string} glue where its glue should be */
const noGlue = (place, glue) =>
  new GlueError(
    `${place} was written by wasm-bindgen and needs its glue, and there is none at ${glue}. ` +
      "Load the glue instead, and pass this file as `wasm`.",
  );

/** `imports` given with glue, which has its own. @param {Imports | undefined} imports @param {string} url */
export function checkNoImports(imports, url) {
  if (imports)
    throw new LoadError(`${url} is no Wasm file: \`imports\` are for a Wasm file without glue; leave them out.`);
}

/** What stands for the glue of a module that has none. @param {string} place of its Wasm file @returns {Glue} */
export function withoutGlue(place) {
  return /** @type {any} */ ({ source: "", url: place, program: { body: [] }, wasmName: "" });
}

/**
 * The settings of a module that is called after its Wasm file, unless the user says more. Bytes, modules, data: URLs
 * and blob: URLs have no address that a name could come from.
 * @param {Settings} settings @param {string} origin
 * @returns {Settings}
 */
export function named(settings, origin) {
  const name = settings.name ?? moduleName(/^[\w+-]+:\/\//.test(origin) ? glueBeside(origin) : "");
  return { ...settings, name };
}
