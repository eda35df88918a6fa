/**
 * Takes exports out of a namespace: `import * as glue from "./bank_bg.js"; const { add, ...rest } = glue;`. Some
 * loaders do that, and export what they took. It becomes an import, so that the export is the glue's own function,
 * which each generation makes anew.
 */

import { edit } from "../glue/syntax.js";

/** @param {any} program @param {string} source @returns {string} the lines keep their numbers */
export function importDestructured({ body }, source) {
  /** @type {Map<string, string>} the modules, by the names of their namespaces */
  const namespaces = new Map();
  for (const { type, source: from, specifiers } of body) {
    if (type !== "ImportDeclaration") continue;
    for (const { type: kind, local } of specifiers)
      if (kind === "ImportNamespaceSpecifier") namespaces.set(local.name, from.value);
  }
  const edits = [];
  for (const { type, kind, declarations } of body) {
    if (type !== "VariableDeclaration" || kind !== "const") continue;
    for (const { id, init } of declarations) {
      const from = init?.type === "Identifier" && namespaces.get(init.name);
      if (!from || id.type !== "ObjectPattern") continue;
      const taken = id.properties.filter(isPlain);
      if (taken.length === 0) continue;
      const list = taken.map((/** @type {any} */ { key, value }) => `${key.name} as ${value.name}`);
      edits.push({ start: 0, end: 0, text: `import { ${list.join(", ")} } from ${JSON.stringify(from)}; ` });
      // The rest is what remains without them, so they stay in the pattern, under other names.
      for (const { key, start, end } of taken) edits.push({ start, end, text: `${key.name}: $taken${start}` });
    }
  }
  return edit(source, edits);
}

/** Is that `name` or `name: other`? @param {any} property */
const isPlain = ({ type, computed, key, value }) =>
  type === "Property" && !computed && key.type === "Identifier" && value.type === "Identifier";
