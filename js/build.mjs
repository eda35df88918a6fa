// Bundles the sources three times:
//   dist/unpanic.js  an ES module for plain JavaScript users (the npm package)
//   dist/runtime.js  what the wheel carries: an ES module whose last line is its exports, so that Python can
//                    evaluate what comes before it as a script, and a page can import it where it must not
//   dist/cli.js      the command of the npm package

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"));

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
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

async function bundle(options, { open = "", close = "" } = {}) {
  const { metafile } = await build({ ...common, ...options, write: false });
  const banner = { js: open + (await notices(metafile)) };
  await build({ ...common, ...options, banner, footer: { js: close } });
}

await bundle({ entryPoints: ["src/index.js"], format: "esm", outfile: "dist/unpanic.js" });
await bundle(
  { entryPoints: ["src/python.js"], format: "iife", globalName: "runtime", outfile: "dist/runtime.js" },
  { close: `export const { load, loadSync, fetchText } = runtime, version = ${JSON.stringify(version)};` },
);
await bundle(
  { entryPoints: ["bin/unpanic.js"], format: "esm", platform: "node", outfile: "dist/cli.js" },
  { open: "#!/usr/bin/env node\n" },
);
