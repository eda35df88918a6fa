/**
 * Which file of an npm package is the glue, which the Wasm file, and which the types. Its `package.json` and the list
 * of its files decide, and nothing is fetched here.
 *
 * Glue stands beside its Wasm file: `bank.js` beside `bank_bg.wasm`. What `package.json` names may also be a wrapper
 * around glue, so glue that is known to be glue comes first.
 */

import { FetchError, GlueError } from "../shared/errors.js";
import { similar } from "./similar.js";

/** @typedef {Record<string, any>} Manifest what stands in `package.json` */
/** @typedef {{glue: string, wasm?: string, types?: string}} Choice paths in the package; what is beside is left out */

const GLUE = /\.[mc]?js$/;
const TYPES = /\.d\.[mc]?ts$/;
/** What a browser that imports the package would ask for. */
const CONDITIONS = new Set(["browser", "import", "module", "default"]);
const WITH_TYPES = new Set([...CONDITIONS, "types"]);
/** How many characters of a list of paths a message shows. */
const MOST_SHOWN = 130;

/**
 * @param {Manifest} manifest
 * @param {string[] | null} files all files of the package; null: nobody has a list of them
 * @param {string} path what the user named in the package: a file, a folder, or a place in `exports`; or nothing
 * @param {string} label of the package, to which a path can be added: `npm:bank@1.0.0`
 * @returns {Choice}
 * @throws {FetchError} there is no such path
 * @throws {GlueError} no file, or several equal ones, can be the glue
 */
export function chooseFiles(manifest, files, path, label) {
  const known = new Set(files ?? mentioned(manifest));
  const glue = path
    ? choosePath(manifest, known, path, label, files !== null)
    : (chooseGlue(manifest, [...known], known, label) ?? chooseEntry(manifest, known, files !== null));
  if (!glue && !files) {
    throw new GlueError(
      `The package.json of ${label} names no file of JavaScript. Name its glue: ${label}/path/to/glue.js.`,
    );
  }
  if (!glue) throw noGlue([...known], label);
  if (!GLUE.test(glue)) return { glue };
  return { glue, wasm: wasmFor(glue, files), types: typesFor(glue, manifest, known) };
}

/* ---- what package.json says ------------------------------------------------ */

/** A path without its `./`. @param {unknown} path */
const plain = (path) => (typeof path === "string" ? path.replace(/^(\.?\/)+/, "") : "");

/**
 * What a value in `exports` stands for.
 * @param {any} value @param {RegExp} accepted @param {Set<string>} conditions that hold
 * @returns {string} a path, or nothing
 */
function targetOf(value, accepted, conditions = CONDITIONS) {
  if (typeof value === "string") return accepted.test(value) ? plain(value) : "";
  const parts = Array.isArray(value)
    ? value
    : Object.entries(value ?? {}).flatMap(([condition, part]) => (conditions.has(condition) ? [part] : []));
  for (const part of parts) {
    const target = targetOf(part, accepted, conditions);
    if (target) return target;
  }
  return "";
}

/** Everything that `exports` names, under whatever conditions. @param {any} value @returns {string[]} */
const allTargets = (value) =>
  typeof value === "string" ? [plain(value)] : Object.values(value ?? {}).flatMap(allTargets);

/** `exports` as a record from places to what they stand for. @param {Manifest} manifest @returns {Manifest} */
function placesOf({ exports }) {
  const isRecord =
    typeof exports === "object" && exports !== null && Object.keys(exports).some((key) => key[0] === ".");
  return isRecord ? exports : { ".": exports };
}

/** The files that the package itself stands for, the best first. @param {Manifest} manifest @returns {string[]} */
function rootEntries(manifest) {
  const { browser, module, main } = manifest;
  const replaced = typeof browser === "object" && browser ? Object.entries(browser) : [];
  const replacements = new Map(replaced.map(([from, to]) => [plain(from), to]));
  const named = [browser, module, main].map(plain).map((path) => plain(replacements.get(path)) || path);
  return [targetOf(placesOf(manifest)["."], GLUE), ...named].filter(Boolean);
}

/** The same, and then what stands in other places of `exports`. @param {Manifest} manifest @returns {string[]} */
function entriesOf(manifest) {
  const places = Object.entries(placesOf(manifest)).filter(([place]) => !place.includes("*"));
  const others = places.map(([, value]) => targetOf(value, GLUE)).filter(Boolean);
  return [...new Set([...rootEntries(manifest), ...others])];
}

/** The files that `package.json` names, in place of a list of all files. @param {Manifest} manifest */
function mentioned(manifest) {
  const { exports, files, types, typings } = manifest;
  const paths = [...allTargets(exports), ...allTargets(files), plain(types), plain(typings), ...entriesOf(manifest)];
  return paths.filter((path) => /\.\w+$/.test(path) && !path.includes("*"));
}

/* ---- the glue -------------------------------------------------------------- */

/** How far a file is from what a browser can use; words in its path tell. A file without them is between. */
const RANKS = /** @type {[RegExp, number][]} */ ([
  [/\b(tests?|examples?|demos?|bench(es|marks)?|node modules)\b/, 9],
  [/\b(parallel|threads|threaded|multithread|mt)\b/, 8],
  [/\bweb\b/, 0],
  [/\b(node|nodejs|cjs|commonjs)\b/, 5],
  [/\b(deno|bun|workerd|cloudflare|vercel|iife|umd|global|no modules|nomodules)\b/, 4],
]);
const UNKNOWN = 1;
const BUNDLER = 2;
const ELSEWHERE = 3;

/** The files beside a Wasm file that wasm-bindgen wrote with it. @param {string[]} files @param {Set<string>} known */
function glueAmong(files, known) {
  const stems = files.filter((file) => file.endsWith("_bg.wasm")).map((file) => file.slice(0, -"_bg.wasm".length));
  return stems.flatMap((stem) => ["mjs", "js", "cjs"].map((end) => `${stem}.${end}`).filter((file) => known.has(file)));
}

/**
 * @param {Manifest} manifest @param {Set<string>} known
 * @returns {(file: string) => number[]} smaller numbers are better, and the first counts most
 */
function ranking(manifest, known) {
  const entries = entriesOf(manifest);
  const active = new Set([entries[0], ...Object.values(placesOf(manifest)).map((value) => targetOf(value, GLUE))]);
  const elsewhere = new Set(
    [...allTargets(manifest.exports), plain(manifest.main)].filter((path) => !active.has(path)),
  );
  return (file) => {
    const words = file.toLowerCase().replace(/[_./-]/g, " ");
    const guess = RANKS.find(([pattern]) => pattern.test(words))?.[1];
    const isBundled = known.has(file.replace(GLUE, "_bg.js"));
    const rank = guess ?? (elsewhere.has(file) ? ELSEWHERE : isBundled ? BUNDLER : UNKNOWN);
    const place = entries.indexOf(file);
    return [rank, place < 0 ? entries.length : place];
  };
}

/**
 * The best file of glue, if some are known to be glue.
 * @param {Manifest} manifest @param {string[]} among files @param {Set<string>} known
 * @param {string} label
 */
function chooseGlue(manifest, among, known, label) {
  const rank = ranking(manifest, known);
  const candidates = glueAmong(among, known)
    .map((file) => ({ file, rank: rank(file) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1]);
  const [best] = candidates;
  const equal = candidates.filter((candidate) => String(candidate.rank) === String(best.rank));
  // Of two that differ in their ending only, the first is a module for certain.
  const stems = new Set(equal.map(({ file }) => file.replace(GLUE, "")));
  if (stems.size > 1) {
    const paths = equal.map(({ file }) => shortest(file, equal, manifest));
    throw new GlueError(`${label} has ${stems.size} files of glue. Load one of them: ${list(paths, label)}.`);
  }
  return best?.file;
}

/**
 * What to write for a file of glue: its folder, or one above it, if that has none of the others.
 * @param {string} file @param {{file: string}[]} all @param {Manifest} manifest
 */
function shortest(file, all, manifest) {
  const parts = file.split("/");
  const folders = parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"));
  const places = placesOf(manifest);
  const isEnough = (/** @type {string} */ folder) =>
    !targetIn(places, `./${folder}`) && all.filter((other) => other.file.startsWith(`${folder}/`)).length === 1;
  return folders.find(isEnough) ?? file;
}

/**
 * What a browser would import, which may be a wrapper around glue.
 * @param {Manifest} manifest @param {Set<string>} known @param {boolean} isWhole whether all files are known
 */
function chooseEntry(manifest, known, isWhole) {
  const web = targetOf(placesOf(manifest)["./web"], GLUE);
  const entries = [web, ...entriesOf(manifest)].filter(Boolean);
  const paths = [...entries, "index.js"].flatMap((entry) =>
    GLUE.test(entry) ? [entry] : [`${entry}.js`, `${entry}/index.js`],
  );
  return isWhole ? paths.find((path) => known.has(path)) : entries.length > 0 ? paths[0] : undefined;
}

/**
 * The file that a path of the user's stands for.
 * @param {Manifest} manifest @param {Set<string>} known @param {string} path @param {string} label
 * @param {boolean} isWhole whether all files are known
 */
function choosePath(manifest, known, path, label, isWhole) {
  if (known.has(path)) return path;
  const target = targetIn(placesOf(manifest), `./${path}`);
  if (target && (known.has(target) || !isWhole)) return target;
  const below = [...known].filter((file) => file.startsWith(`${path.replace(/\/$/, "")}/`));
  if (below.length) {
    const glue = chooseGlue(manifest, below, known, label);
    if (glue) return glue;
    throw noGlue(below, label);
  }
  const file = ["js", "mjs"].map((end) => `${path}.${end}`).find((candidate) => known.has(candidate));
  if (file || !isWhole) return file ?? path;
  const usable = [...known].filter((name) => GLUE.test(name) || name.endsWith(".wasm"));
  const near = similar(path, usable, 3);
  const hint = near.length ? `Load the nearest: ${list(near, label)}.` : "Load another package: it has no JavaScript.";
  throw new FetchError(`${label} has no file ${JSON.stringify(path)}. ${hint}`, { url: `${label}/${path}` });
}

/** @param {Manifest} places @param {string} wanted */
function targetIn(places, wanted) {
  const exact = targetOf(places[wanted], /./);
  if (exact) return exact;
  for (const [place, value] of Object.entries(places)) {
    const [start, end] = place.split("*");
    if (end === undefined || !wanted.startsWith(start) || !wanted.endsWith(end)) continue;
    const middle = wanted.slice(start.length, wanted.length - end.length);
    const target = targetOf(value, /./).replaceAll("*", middle);
    if (GLUE.test(target)) return target;
  }
  return "";
}

/** @param {string[]} files @param {string} label */
function noGlue(files, label) {
  const scripts = files.filter((file) => GLUE.test(file));
  const named = scripts.length
    ? `If one of its files is glue, load it: ${list(scripts, label)}.`
    : "Load another package: it has no JavaScript.";
  return new GlueError(`${label} has no glue of wasm-bindgen: no .js file beside a _bg.wasm file. ${named}`);
}

/** @param {string[]} paths @param {string} label */
function list(paths, label) {
  let length = 0;
  const names = paths.map((path) => `${label}/${path}`);
  const shown = names.filter((name, at) => (length += name.length + 2) <= MOST_SHOWN || at === 0);
  const more = names.length - shown.length;
  return shown.join(", ") + (more ? ` and ${more} more` : "");
}

/* ---- what belongs to the glue ----------------------------------------------- */

/**
 * The Wasm file, if it is not where glue would look for it.
 * @param {string} glue @param {string[] | null} files
 */
function wasmFor(glue, files) {
  const all = files?.filter((file) => file.endsWith(".wasm")) ?? [];
  return all.length === 1 && all[0] !== glue.replace(GLUE, "_bg.wasm") ? all[0] : undefined;
}

/**
 * The types: of the file's place in `exports`, or beside the glue. Types that `package.json` declares for no entry in
 * particular are for all of them, wherever their builds are.
 * @param {string} glue @param {Manifest} manifest @param {Set<string>} known
 */
function typesFor(glue, manifest, known) {
  const beside = glue.replace(GLUE, ".d.ts");
  if (known.has(beside)) return beside;
  const places = placesOf(manifest);
  const own = Object.values(places).find((value) => targetOf(value, GLUE) === glue);
  const declared = plain(manifest.types ?? manifest.typings) || targetOf(places["."], TYPES, WITH_TYPES);
  const names = rootEntries(manifest).map(nameOf);
  const isForAll = names.includes(nameOf(glue)) && !names.includes(nameOf(declared));
  return targetOf(own, TYPES, WITH_TYPES) || (isForAll && declared) || beside;
}

/** A file's name without its folder and its ending. @param {string} path */
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1).replace(/\.(d\.)?[mc]?[jt]s$/, "");
