/** The name of a module that nobody has named. */

/** Names of files and folders that say how a package was built, and not what it is. */
const BUILD =
  "web|wasm|wasm32|index|main|module|mod|lib|libs|glue|init|browser|bundle|bundler|bundled|dist|pkg|build|out|" +
  "output|release|debug|esm|es|mjs|src|js|static|assets|public|umd|min|node_modules|npm";
const MEANINGLESS = new RegExp(`^(?:(?:${BUILD})(?:[._-](?=.)|$))+$`, "i");

/**
 * The name of a glue file. If the file's own name says nothing, it is the name of the package or of a folder: `prql_js`
 * for `/node_modules/prql-js/dist/web/index.js`, `bank` for `/bank/pkg/web.js`.
 * @param {string} url
 * @returns {string} an identifier
 */
export function moduleName(url) {
  const path = url.replace(/[?#].*$/s, "").replace(/^[\w+.-]+:\/\/[^/]*/, "");
  const parts = path.split("/").map(plain);
  const file = /** @type {string} */ (parts.pop()).replace(/\.m?js$/, "").replace(/_bg$/, "");
  const meaningful = [file, ...parts.reverse()].find(
    (name) => name && !MEANINGLESS.test(name) && !/^v?\d+(\.\d+)*$/.test(name),
  );
  return identifier(meaningful ?? file);
}

/** A part of a URL without the marks of a package: `@1.2.0` after its name, `@` before a scope. @param {string} part */
function plain(part) {
  const name = part.replace(/^@/, "").replace(/@[\w.^~-]*$/, "");
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** @param {string} name */
function identifier(name) {
  return name.replace(/\W/g, "_").replace(/^(?=\d)/, "_") || "module";
}
