// Bundles the scripts of the pages into the folder that is given. The editor comes from npm, and a page should load few
// files.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const [outdir] = process.argv.slice(2);
if (!outdir) throw new Error("No folder is given. Run: node build.mjs FOLDER");

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["bank.js", "without.js", "without_worker.js", "packages.js", "transcript.js"],
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

// The licences of the bundled packages ask for their texts.
const names = Object.keys(metafile.inputs).map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
const packages = [...new Set(names.filter(Boolean))].sort();
const texts = packages.map((name) => readFile(`${root}node_modules/${name}/LICENSE`, "utf8"));
const notices = (await Promise.all(texts)).map((text, i) => `${packages[i]}\n\n${text.trim()}\n`);
await writeFile(join(outdir, "licenses.txt"), notices.join(`\n${"-".repeat(80)}\n\n`));
