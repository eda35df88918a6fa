/** Modules that make their instance at once: what `deno.js`, `nodejsModule.js` and `sourcePhase.js` share. */

import { edit } from "../syntax.js";
import { builtIn, isBuiltIn, REQUIRE } from "./host.js";
import { deferInstance, findInstantiation } from "./instantiation.js";
import { blanked, variablesIn } from "./statements.js";

/** Does a statement import one of Node's modules? @param {any} statement */
export const importsBuiltIn = ({ type, source }) => type === "ImportDeclaration" && isBuiltIn(String(source.value));

/** Does a statement name glue for a bundler, which another file brings to life? @param {any} statement */
export const importsGlue = ({ source }) => /_bg\.js$/.test(String(source?.value ?? ""));

/**
 * @param {any} program @param {string} source @param {string} url
 * @returns {{source: string, wasmPath: string, bytes: Uint8Array | null}}
 */
export function moduleToWeb({ body }, source, url) {
  const instantiation = /** @type {any} */ (findInstantiation(body));
  const { edits, loading, initSync, ...wasm } = deferInstance(body, source, url, instantiation);
  let header = "";
  for (const statement of body) {
    if (!importsBuiltIn(statement) || loading.has(statement)) continue;
    const locals = new Set(statement.specifiers.map((/** @type {any} */ { local }) => local.name));
    const others = body.filter((/** @type {any} */ other) => other !== statement && !loading.has(other));
    if (!others.some((/** @type {any} */ other) => variablesIn(other).some(({ name }) => locals.has(name))))
      edits.push(blanked(source, statement));
    else {
      const { start, end } = statement;
      edits.push({ start, end, text: declarations(statement) });
      header = REQUIRE;
    }
  }
  return { source: `${header}${edit(source, edits)}\n${initSync}`, ...wasm };
}

/** What stands for an import of one of Node's modules. @param {any} statement */
function declarations({ specifiers, source }) {
  const name = String(source.value);
  const module = builtIn(name) ?? `require(${JSON.stringify(name)})`;
  return specifiers
    .map((/** @type {any} */ { type, local, imported }) =>
      type === "ImportSpecifier"
        ? `const ${local.name} = ${module}[${JSON.stringify(imported.name ?? imported.value)}];`
        : `const ${local.name} = ${module};`,
    )
    .join(" ");
}
