// Bundles the sources:
//   dist/unpanic.js  an ES module for plain JavaScript users (the npm package)
//   dist/runtime.js  what the wheel carries: an ES module whose last line is its exports, so that Python can
//                    evaluate what comes before it as a script, and a page can import it where it must not
//   dist/cli.js      the command of the npm package
//   dist/service-worker.js  a classic script, which the wheel carries too

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

const root = fileURLToPath(new URL(".", import.meta.url));
const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"));

const common = {
  absWorkingDir: root,
  bundle: true,
  minifySyntax: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
};

/** The licence texts of the packages that a bundle holds, as comments. */
async function notices({ inputs }) {
  const names = Object.keys(inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
  const packages = [...new Set(names.filter(Boolean))].sort();
  const texts = packages.map((name) => readFile(`${root}node_modules/${name}/LICENSE`, "utf8"));
  return (await Promise.all(texts)).map((text, i) => `/*! ${packages[i]}: ${text.trim()} */\n`).join("");
}

/** Bundles with esbuild, and minifies with terser: a kilobyte less, compressed, than esbuild alone. */
async function bundle(options, { open = "", close = "" } = {}) {
  const { metafile, outputFiles } = await build({ ...common, ...options, write: false });
  const { code } = await minify(outputFiles[0].text, {
    module: options.format === "esm", // a script's names are seen from outside
    ecma: 2020,
    compress: { passes: 2 },
    format: { comments: false },
  });
  await mkdir(`${root}dist`, { recursive: true });
  await writeFile(`${root}${options.outfile}`, [open + (await notices(metafile)) + code, close, ""].join("\n"));
}

await Promise.all([
  bundle({ entryPoints: ["src/index.js"], format: "esm", outfile: "dist/unpanic.js" }),
  bundle(
    { entryPoints: ["src/python.js"], format: "iife", globalName: "runtime", outfile: "dist/runtime.js" },
    { close: `export const { load, loadSync, fetchText } = runtime, version = ${JSON.stringify(version)};` },
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
