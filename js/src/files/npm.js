/**
 * Packages by their names on npm: `npm:NAME`, `npm:NAME@VERSION`, `npm:NAME@VERSION/path`. The files come from
 * jsDelivr, or from where `usePackagesFrom` says. What was asked once is known as long as the page lives, so a name is
 * always the same version.
 */

import { FetchError, GlueError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { absolute, fetchBytes } from "./fetching.js";
import { chooseFiles } from "./manifest.js";
import { matchVersion, nearestVersion } from "./similar.js";

/**
 * @typedef {object} FoundPackage
 * @property {string} glue a URL
 * @property {string} [wasm] a URL, if the file is not where the glue would look for it
 * @property {string} [types] a URL of a file that may be missing
 * @property {string} package the name on npm
 * @property {string} version
 * @property {string} pinned what to write for this version; empty if the user wrote it
 */

/** @typedef {{name: string, version?: string, path: string}} Spec */

const JSDELIVR = "https://cdn.jsdelivr.net/npm/{name}@{version}/{path}";
const LISTS = "https://data.jsdelivr.com/v1/packages/npm/";
const ORIGINS = ["https://cdn.jsdelivr.net", "https://data.jsdelivr.com"];
const SPEC = /^npm:((?:@[\w.~-]+\/)?[\w.~-]+)(?:@([^/@]+))?(?:\/(.*))?$/;
/** What would lead out of the folder of a package, or end the path of its URL. */
const LEADS_OUT = /(^|[/\\])\.{1,2}([/\\]|$)/;
const EXACT = /^\d+\.\d+\.\d+/;

let base = JSDELIVR;

/** Answers as JSON, by their URLs. @type {Map<string, Promise<any>>} */
const answers = new Map();

/**
 * Sets where packages come from.
 * @param {string | null | undefined} template a URL with `{name}`, `{path}` and maybe `{version}`; none: jsDelivr
 * @throws {TypeError} it is no such template
 */
export function usePackagesFrom(template) {
  /** @type {string[]} */
  const places = template?.match(/\{.*?\}/g) ?? [];
  const isRight =
    places.includes("{name}") &&
    places.includes("{path}") &&
    places.every((place) => ["{name}", "{path}", "{version}"].includes(place));
  if (template != null && !isRight) {
    throw new TypeError(
      `base=${JSON.stringify(template)}: it must be a URL with {name} and {path} in it, and {version} where versions ` +
        'are kept apart, such as "/node_modules/{name}/{path}".',
    );
  }
  base = template ?? JSDELIVR;
}

/** @param {unknown} glue @returns {glue is string} */
export const isPackage = (glue) => typeof glue === "string" && /^npm:/.test(glue);

/**
 * Finds the files of a package.
 * @param {string} text as the user wrote it @param {AbortSignal} [signal]
 * @returns {Promise<FoundPackage>}
 * @throws {FetchError} a name, a version or a path does not exist, or an answer did not come
 * @throws {GlueError} it does not follow from the package which file is the glue
 */
export async function findPackage(text, signal) {
  const spec = parse(text);
  const template = base;
  /** @type {Promise<{version: string, manifest: import("./manifest.js").Manifest, files: string[] | null}>} */
  const asked = template === JSDELIVR ? askJsDelivr(spec) : askTemplate(template, spec);
  const { version, manifest, files } = await untilAborted(asked, signal);
  const label = `npm:${spec.name}${version && `@${version}`}`;
  const { glue, wasm, types } = chooseFiles(manifest, files, spec.path, label);
  for (const path of [glue, wasm ?? "", types ?? ""]) {
    if (LEADS_OUT.test(path))
      throw new GlueError(`The package.json of ${label} names a file outside of the package: ${path}.`);
  }
  const url = (/** @type {string | undefined} */ path) => path && urlOf(template, spec.name, version, path);
  return {
    glue: /** @type {string} */ (url(glue)),
    wasm: url(wasm),
    types: url(types),
    package: spec.name,
    version,
    pinned: spec.version === version ? "" : label + (spec.path && `/${spec.path}`),
  };
}

/** @param {string} text @returns {Spec} */
function parse(text) {
  const [, name, version, path = ""] = SPEC.exec(text.trim()) ?? [];
  const isWrong = /[?#%\s]/.test(version) || [name, version, path].some((part) => LEADS_OUT.test(part));
  if (!name || isWrong) {
    throw new FetchError(
      `${JSON.stringify(text)} names no package: write npm:NAME, npm:NAME@VERSION or npm:NAME@VERSION/path/to/glue.js.`,
      { url: text },
    );
  }
  return { name, version, path: path.replace(/^\/+/, "") };
}

/** @param {string} template @param {string} name @param {string} version @param {string} path */
function urlOf(template, name, version, path) {
  const parts = /** @type {Record<string, string>} */ ({
    name,
    version,
    path: encodeURI(path).replace(/[?#]/g, escape),
  });
  return absolute(template.replace(/\{(\w+)\}/g, (_, part) => parts[part]));
}

/**
 * Waits until there is a result, or nobody wants it any more. The answer still comes, for the next who asks.
 * @template T @param {Promise<T>} result @param {AbortSignal} [signal] @returns {Promise<T>}
 */
function untilAborted(result, signal) {
  if (!signal) return result;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  });
}

/* ---- jsDelivr -------------------------------------------------------------- */

/** @param {Spec} spec */
async function askJsDelivr({ name, version: wanted }) {
  const version = wanted && EXACT.test(wanted) ? wanted : await chooseVersion(name, wanted);
  try {
    const [manifest, { files }] = await Promise.all([
      ask(urlOf(JSDELIVR, name, version, "package.json")),
      ask(`${LISTS}${name}@${version}`),
    ]);
    return { version, manifest, files: flatten(files) };
  } catch (error) {
    if (!isAbsence(error)) throw error;
    throw await explainAbsence(name, version, error);
  }
}

/** @param {string} name @param {string | undefined} wanted */
async function chooseVersion(name, wanted) {
  const { versions, tags } = await versionsOf(name);
  const version = matchVersion(wanted, versions, tags);
  if (!version) throw noVersion(name, wanted ?? "", versions);
  return version;
}

/** @param {string} name @returns {Promise<{versions: string[], tags: Record<string, string>}>} */
async function versionsOf(name) {
  try {
    const { versions, tags } = await ask(LISTS + name);
    return { versions: versions.map((/** @type {any} */ entry) => entry.version ?? entry), tags: tags ?? {} };
  } catch (error) {
    if (!isAbsence(error)) throw error;
    const { url, status } = error;
    throw new FetchError(`There is no package ${JSON.stringify(name)} on npm. Check its name.`, { url, status });
  }
}

/** @param {string} name @param {string} version @param {FetchError} cause */
async function explainAbsence(name, version, cause) {
  const { versions } = await versionsOf(name);
  return versions.includes(version) ? cause : noVersion(name, version, versions);
}

/** @param {string} name @param {string} wanted @param {string[]} versions */
function noVersion(name, wanted, versions) {
  const nearest = nearestVersion(wanted, versions);
  const remedy = nearest ? `Load the nearest: npm:${name}@${nearest}.` : "It has no version at all.";
  return new FetchError(`${name} has no version ${JSON.stringify(wanted)}. ${remedy}`, {
    url: `npm:${name}@${wanted}`,
  });
}

/** The paths in a list of files. Folders have lists of their own. @param {any[]} files @returns {string[]} */
function flatten(files, folder = "") {
  return files.flatMap(({ name, files: inner }) =>
    inner ? flatten(inner, `${folder}${name}/`) : (folder + name).replace(/^\//, ""),
  );
}

/* ---- another CDN, or a folder ---------------------------------------------- */

/** @param {string} template @param {Spec} spec */
async function askTemplate(template, { name, version: wanted }) {
  const url = urlOf(template, name, wanted ?? "latest", "package.json");
  const manifest = await ask(url).catch((error) => {
    if (!isAbsence(error)) throw error;
    const what = `npm:${name}${wanted && template.includes("{version}") ? `@${wanted}` : ""}`;
    throw new FetchError(
      `There is no ${what} here: ${url} does not exist. Check the name, or \`base\` of \`npm\`, which is ${template}.`,
      { url, status: error.status },
    );
  });
  const version = String(manifest.version ?? wanted ?? "");
  // A tag cannot be compared.
  if (wanted && /^\d/.test(wanted) && version !== wanted && !version.startsWith(`${wanted}.`)) {
    throw new FetchError(
      `${name} has no version ${JSON.stringify(wanted)} here: ${url} is of ${version}. ` +
        `Load npm:${name}@${version}, or serve version ${wanted} there.`,
      { url },
    );
  }
  return { version, manifest, files: null };
}

/* ---- questions ------------------------------------------------------------- */

/** Whether a server says that it has no such file. @param {unknown} error @returns {error is FetchError} */
const isAbsence = (error) => isInstance(error, FetchError) && (error.status === 404 || error.status === 410);

/** @param {string} url @returns {Promise<any>} its answer as JSON */
function ask(url) {
  const known = answers.get(url);
  if (known) return known;
  const answer = fetchJson(url);
  answers.set(url, answer);
  answer.catch(() => answers.delete(url));
  return answer;
}

/** @param {string} url */
async function fetchJson(url) {
  const isJsDelivr = ORIGINS.includes(new URL(url).origin);
  const bytes = await fetchBytes(url, undefined, isJsDelivr ? ORIGINS : undefined).catch((error) => {
    // It refuses packages above 150 MB, and some networks refuse it. A policy of the page's has its own remedy.
    if (isJsDelivr && !isAbsence(error) && !/ forbids it: /.test(error.message))
      error.message = error.message.replace(
        /( Check the .*)?$/,
        " Check the network, or pass a mirror or a folder that you serve as `base` of `npm`.",
      );
    throw error;
  });
  const text = new TextDecoder().decode(bytes);
  try {
    return Object(JSON.parse(text));
  } catch (cause) {
    // The server of a single-page application answers every request with its page.
    const status = /^\s*</.test(text) ? 404 : undefined;
    throw new FetchError(`${url} is not JSON: ${/** @type {Error} */ (cause).message}.`, { url, status, cause });
  }
}
