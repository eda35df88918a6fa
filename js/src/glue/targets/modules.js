/** Glue that is a module and makes its instance at once: what `deno.js`, `nodejsModule.js` and `sourcePhase.js` share. */

import { edit, walk } from "../syntax.js";
import { builtIn, isBuiltIn, REQUIRE } from "./host.js";
import { blanked, deferInstance, findInstantiation } from "./instantiation.js";

/** @param {any} statement */
export const importsBuiltIn = ({ type, source }) => type === "ImportDeclaration" && isBuiltIn(String(source.value));

/**
 * @param {any} program @param {string} source @param {string} url
 * @returns {{source: string, wasmPath: string}}
 */
export function moduleToWeb({ body }, source, url) {
  const instantiation = /** @type {any} */ (findInstantiation(body));
  const { edits, loading, initSync, wasmPath } = deferInstance(body, source, url, instantiation);
  let header = "";
  for (const statement of body) {
    if (!importsBuiltIn(statement) || loading.has(statement)) continue;
    const locals = new Set(statement.specifiers.map((/** @type {any} */ { local }) => local.name));
    const others = body.filter((/** @type {any} */ other) => other !== statement && !loading.has(other));
    if (!others.some((/** @type {any} */ other) => reads(other, locals))) edits.push(blanked(source, statement));
    else {
      const { start, end } = statement;
      edits.push({ start, end, text: declarations(statement) });
      header = REQUIRE;
    }
  }
  return { source: `${header}${edit(source, edits)}\n${initSync}`, wasmPath };
}

/** @param {any} root @param {Set<string>} names */
function reads(root, names) {
  let does = false;
  walk(root, ({ type, name }) => {
    if (type === "Identifier" && names.has(name)) does = true;
  });
  return does;
}

/** What stands for an import of one of Node's modules. @param {any} statement */
function declarations({ specifiers, source }) {
  const module = builtIn(String(source.value));
  return specifiers
    .map(({ type, local, imported }) =>
      type === "ImportSpecifier"
        ? `const ${local.name} = ${module}[${JSON.stringify(imported.name ?? imported.value)}];`
        : `const ${local.name} = ${module};`,
    )
    .join(" ");
}
