// Bundles the runtime twice:
//   dist/unpanic.js  an ES module for plain JavaScript users (the npm package)
//   dist/runtime.js  one expression whose value is the exports object: the wheel carries and evaluates it

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

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

async function bundle(options, open = "", close = "") {
  const { metafile } = await build({ ...common, ...options, write: false });
  const banner = { js: (await notices(metafile)) + open };
  await build({ ...common, ...options, banner, footer: { js: close } });
}

await bundle({ entryPoints: ["src/index.js"], format: "esm", outfile: "dist/unpanic.js" });
await bundle(
  { entryPoints: ["src/python.js"], format: "iife", globalName: "runtime", outfile: "dist/runtime.js" },
  "(() => {",
  "return runtime;\n})()",
);
