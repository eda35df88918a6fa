// Bundles the sources:
//   dist/unpanic.js  an ES module for plain JavaScript users (the npm package)
//   dist/runtime.js  an ES module in the wheel. Its last line has the exports. Python evaluates the lines before it as
//                    a script; where a policy forbids that, a page can import the file
//   dist/packages.js  the same for packages by their names, which Python evaluates when it is asked for one
//   dist/forms.js  the same for packages that are not glue for the web; its `bind` takes parts of the runtime
//   dist/cli.js      the command of the npm package
//   dist/service-worker.js  a classic script, also in the wheel

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";
import { expandAll } from "./expand.mjs";
import { shrinkParser } from "./parser.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"));

/** @type {Promise<string> | undefined} the bundles share it */
let smallParser;
const smallerParser = {
  name: "a smaller acorn",
  setup({ onLoad }) {
    onLoad({ filter: /acorn\.mjs$/ }, async ({ path }) => {
      smallParser ??= readFile(path, "utf8").then(shrinkParser);
      return { contents: await smallParser, loader: "js" };
    });
  },
};

/**
 * In `forms.js`, what the runtime has comes from its parts. A name that load/parts.js lacks is an error of the build.
 */
const runtimeParts = {
  name: "parts of the runtime",
  async setup({ onLoad }) {
    const place = `${root}src/load/parts.js`;
    const imports = (await readFile(place, "utf8")).matchAll(/^import \{\s([^}]+)\s\} from "([^"]+)";$/gm);
    const names = new Map(
      [...imports].map(([, list, from]) => [fileURLToPath(new URL(from, pathToFileURL(place))), list]),
    );
    onLoad({ filter: /\.js$/ }, ({ path }) =>
      names.has(path) ? { contents: `export const { ${names.get(path)} } = parts;` } : undefined,
    );
  },
};

const common = {
  absWorkingDir: root,
  bundle: true,
  minifySyntax: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  plugins: [smallerParser],
};

/** The licence texts of the packages that a bundle holds, as comments. */
async function notices({ inputs }) {
  const names = Object.keys(inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
  const packages = [...new Set(names.filter(Boolean))].sort();
  const texts = packages.map((name) => readFile(`${root}node_modules/${name}/LICENSE`, "utf8"));
  return (await Promise.all(texts)).map((text, i) => `/*! ${packages[i]}: ${text.trim()} */\n`).join("");
}

/** Bundles with esbuild and minifies with terser. Compressed, the result is a kilobyte smaller than esbuild's. */
async function bundle(options, { open = "", close = "", wrap = (/** @type {string} */ text) => text } = {}) {
  const { metafile, outputFiles } = await build({ ...common, ...options, write: false });
  const { code } = await minify(wrap(outputFiles[0].text), {
    module: options.format === "esm", // the names of a script are global
    ecma: 2020,
    compress: { passes: 2 },
    format: { comments: false },
  });
  await mkdir(`${root}dist`, { recursive: true });
  await writeFile(`${root}${options.outfile}`, [open + (await notices(metafile)) + code, close, ""].join("\n"));
}

expandAll();
await Promise.all([
  bundle({ entryPoints: ["src/index.js"], format: "esm", outfile: "dist/unpanic.js" }),
  bundle(
    { entryPoints: ["src/python.js"], format: "iife", globalName: "runtime", outfile: "dist/runtime.js" },
    {
      close:
        "export const { load, loadSync, fetchText, longestText, shortenErrors } = runtime, " +
        `version = ${JSON.stringify(version)};`,
    },
  ),
  bundle(
    { entryPoints: ["src/packages.js"], format: "iife", globalName: "runtime", outfile: "dist/packages.js" },
    { close: `export const { resolvePackage, usePackagesFrom } = runtime, version = ${JSON.stringify(version)};` },
  ),
  bundle(
    {
      entryPoints: ["src/forms.js"],
      format: "iife",
      globalName: "forms",
      plugins: [runtimeParts, smallerParser],
      outfile: "dist/forms.js",
    },
    {
      wrap: (text) => `var runtime = { bind(parts) { ${text} return forms; } };`,
      close: `export const { bind } = runtime, version = ${JSON.stringify(version)};`,
    },
  ),
  bundle(
    { entryPoints: ["bin/unpanic.js"], format: "esm", platform: "node", outfile: "dist/cli.js" },
    { open: "#!/usr/bin/env node\n" },
  ),
  bundle({
    entryPoints: ["src/service-worker.js"],
    format: "iife",
    define: { VERSION: JSON.stringify(version) },
    outfile: "dist/service-worker.js",
  }),
]);
