// The folders of js/src import in one direction, so that each can be read without those above it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../src/", import.meta.url);
/** From the bottom to the top: a folder imports from itself and from the rows before it. */
const ROWS = [
  ["types.js", "shared"],
  ["wasm", "glue", "diagnosis"],
  ["files"],
  ["instance"],
  ["module", "raw", "linking"],
  ["forms.js"],
  ["load"],
  ["hosts/plain", "hosts/python"],
  ["index.js", "packages.js", "python.js", "service-worker.js"],
];
const levels = new Map(ROWS.flatMap((names, level) => names.map((name) => [name, level])));

const files = readdirSync(fileURLToPath(ROOT), { recursive: true }).filter((path) => /\.(js|ts)$/.test(path));
/** Returns the imports of a file, also those in JSDoc. */
const graph = new Map(
  files.map((path) => {
    const source = readFileSync(new URL(path, ROOT), "utf8");
    const places = [...source.matchAll(/(?:\bfrom |\bimport\(|\bimport )"(\.[^"]+)"/g)].map(([, place]) => place);
    const targets = places.map((place) => new URL(place, new URL(path, ROOT)).href.slice(ROOT.href.length));
    return [path.replace(/\.d\.ts$/, ".js"), new Set(targets)];
  }),
);

/** @param {string} path */
const folderOf = (path) =>
  path
    .split("/")
    .slice(0, -1)
    .join("/")
    .replace(/^glue\/targets$/, "glue") || path;

/** @param {string} source @param {string} target */
function isUpwards(source, target) {
  const [here, there] = [folderOf(source), folderOf(target)];
  if (here === there) return false;
  const [from, to] = [levels.get(here), levels.get(there)];
  if (to === 0) return from === 0 && there !== "types.js";
  return to >= from;
}

test("each folder has its row", () => {
  assert.deepEqual(
    [...new Set([...graph.keys()].map(folderOf))].filter((folder) => !levels.has(folder)),
    [],
  );
  assert.ok([...graph.values()].reduce((sum, targets) => sum + targets.size, 0) > 100);
});

for (const [path, targets] of graph) {
  test(`the imports of ${path} point down, also those of types`, () => {
    assert.deepEqual(
      [...targets].filter((target) => isUpwards(path, target)),
      [],
    );
  });
}

test("there are no circles", () => {
  const done = new Set();
  /** @param {string} path @param {string[]} way */
  const walk = (path, way) => {
    assert.ok(!way.includes(path), [...way, path].join(" -> "));
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) walk(target, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
});

test("an import from above is found", () => {
  assert.ok(isUpwards("instance/guard.js", "module/lanes.js"));
  assert.ok(isUpwards("glue/glue.js", "wasm/binary.js"));
  assert.ok(!isUpwards("module/lanes.js", "instance/guard.js"));
});
