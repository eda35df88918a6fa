// Prints which glue each package has by its name: by the list of its files, and by its package.json alone. Folders come
// as JSON on standard input.

import { readdirSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { chooseFiles } from "../../js/src/files/manifest.js";

const attempt = (choose) => {
  try {
    return choose().glue;
  } catch ({ name, message }) {
    return `${name}: ${message}`;
  }
};

const found = {};
for (const folder of JSON.parse(readFileSync(0, "utf8"))) {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, resolve(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith("node_modules"));
  const label = `npm:${manifest.name}@${manifest.version}`;
  found[folder] = [files, null].map((list) => attempt(() => chooseFiles(manifest, list, "", label)));
}
process.stdout.write(JSON.stringify(found));
