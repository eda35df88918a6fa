/** The types that JSDoc comments tell. */

/**
 * @param {string} jsdoc
 * @returns {{params: Map<string, {type: string, optional: boolean}>, returns: string | null}}
 */
export function jsdocTypes(jsdoc) {
  const params = new Map();
  let returns = null;
  for (const line of jsdoc.split("\n")) {
    const tag = /@(param|returns)\s+\{/.exec(line);
    if (!tag) continue;
    const [type, rest] = bracedType(line.slice(tag.index + tag[0].length));
    if (tag[1] === "returns") returns = type;
    else {
      const name = /^\s*(\[?)(?:\.\.\.)?([\w$]+)/.exec(rest);
      if (name) params.set(name[2], { type, optional: Boolean(name[1]) || /\b(null|undefined)\b/.test(type) });
    }
  }
  return { params, returns };
}

/**
 * Splits `number} a`, the text after an opening brace, at the closing one. A type may hold braces.
 * @param {string} text @returns {[string, string]}
 */
function bracedType(text) {
  let depth = 1;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}" && --depth === 0) return [text.slice(0, index), text.slice(index + 1)];
  }
  return [text, ""];
}
