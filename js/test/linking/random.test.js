/** Random packages: one text does what Node does with their files. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { GlueError } from "../../src/shared/errors.js";
import { Folder, joined, shown } from "./support.js";

const CASES = Number(process.env.LINKING_CASES ?? 150);
const NAMES = ["a", "b", "c", "d"];
const folder = new Folder();
after(() => folder.remove());

/** Random numbers that come again with the same seed. @param {number} seed */
function makeRandom(seed) {
  let state = seed * 2654435761 + 1;
  /** @param {number} below */
  const number = (below) => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
  /** @template T @param {T[]} list @returns {T} */
  const pick = (list) => list[number(list.length)];
  return { number, pick, chance: (/** @type {number} */ percent) => number(100) < percent };
}

/** The text of a module, and what it declares and exports. */
function makeModule({ number, pick, chance }, index, count, hasCircles, known) {
  const lines = [];
  const declared = new Set();
  const exported = new Set();
  const values = [];
  const from = () => {
    const other = hasCircles ? number(count) : index + 1 + number(Math.max(1, count - index - 1));
    return `./m${Math.min(other, count - 1)}.js`;
  };
  /** A module, and a name that it exports, unless luck is against it. */
  const nameFrom = () => {
    const place = from();
    const names = [...(known.get(place) ?? [])];
    return [names.length && chance(95) ? pick(names) : pick(NAMES), place];
  };
  const isLast = index === count - 1 && !hasCircles;
  const fresh = (base) => {
    const free = NAMES.filter((name) => !declared.has(name));
    const name = free.length && chance(80) ? pick(free) : `${base}${index}_${declared.size}`;
    declared.add(name);
    return name;
  };
  const asExport = (base) => {
    const free = NAMES.filter((name) => !exported.has(name));
    const name = free.length && chance(80) ? pick(free) : `${base}${index}_${exported.size}`;
    exported.add(name);
    return name;
  };
  for (let more = isLast ? 0 : number(4); more > 0; more--) {
    const kind = number(5);
    if (kind === 0) {
      const local = fresh("ns");
      lines.push(`import * as ${local} from "${from()}";`);
      values.push(local);
    } else if (kind === 1) lines.push(`import "${from()}";`);
    else if (kind === 2) {
      const local = fresh("def");
      const [name, place] = nameFrom();
      lines.push(
        chance(50)
          ? `import { default as ${local} } from "./m${count - 1}.js";`
          : `import { ${name} as ${local} } from "${place}";`,
      );
      values.push(local);
    } else {
      const local = fresh("i");
      const [name, place] = nameFrom();
      lines.push(
        name === local ? `import { ${local} } from "${place}";` : `import { ${name} as ${local} } from "${place}";`,
      );
      values.push(local);
    }
  }
  for (let more = isLast ? 0 : number(3); more > 0; more--) {
    const kind = number(3);
    if (kind === 0) lines.push(`export * from "${from()}";`);
    else if (kind === 1) lines.push(`export * as ${asExport("all")} from "${from()}";`);
    else {
      const [name, place] = nameFrom();
      lines.push(`export { ${name} as ${asExport("re")} } from "${place}";`);
    }
  }
  const value = () => (values.length && chance(60) ? pick(values) : String(index * 10 + number(9)));
  for (let more = 2 + number(4); more > 0; more--) {
    const kind = number(9);
    const local = fresh("v");
    const [p, q] = [pick(NAMES), pick(NAMES)];
    if (kind === 0) lines.push(`const ${local} = ${chance(50) ? value() : `[${value()}, "${local}"]`};`);
    else if (kind === 1) lines.push(`let ${local} = ${number(9)}; function up${index}_${local}() { ${local} += 1; }`);
    else if (kind === 2)
      lines.push(`function ${local}(${p} = 1) { const { ${p}: inner = 2 } = { ${p} }; return [inner]; }`);
    else if (kind === 3) lines.push(`class ${local} { ${p} = ${value()}; static ${q} = ${number(9)}; }`);
    else if (kind === 4)
      lines.push(`var ${local} = 1; for (var k${local} = 0; k${local} < 3; k${local}++) ${local} += k${local};`);
    else if (kind === 5) lines.push(`var { ${local}, z${index}_${local} = ${value()} } = { ${local}: ${number(9)} };`);
    else if (kind === 6) lines.push(`const ${local} = (${p}) => ({ ${local}: 1, ${values[0] ?? local} });`);
    else if (kind === 7)
      lines.push(
        `const ${local} = { ${values.map((name) => name).join(", ")} };\nlog.push("${index}", typeof ${local});`,
      );
    else lines.push(`function ${local}() { return [${values.filter(() => chance(50)).join(", ")}]; }`);
    values.push(local);
    if (!chance(60)) continue;
    if (chance(70) && !exported.has(local)) {
      exported.add(local);
      lines.push(`export { ${local} };`);
    } else lines.push(`export { ${local} as ${asExport("x")} };`);
  }
  for (const match of lines.join("\n").matchAll(/function (up\w+)\(\)/g))
    if (chance(50)) lines.push(`log.push("before"); ${match[1]}();`);
  if (index === count - 1 || chance(50)) {
    lines.push(
      pick([`export default ${value()};`, "export default function () { return 7; }", "export default class {}"]),
    );
    exported.add("default");
  }
  lines.push(`log.push(${index}, typeof ${value()}); if (log.length > 1) { var late${index} = log.length; }`);
  lines.push(`export function all${index}() { return { ${[...new Set(values)].join(", ")}, late${index} }; }`);
  known.set(`./m${index}.js`, exported);
  return lines.join("\n");
}

/** @param {number} seed */
function makePackage(seed) {
  const random = makeRandom(seed);
  const hasCircles = random.chance(40);
  const count = 2 + random.number(4);
  /** @type {Record<string, string>} */
  const files = { "index.js": 'export * from "./m0.js"; import * as all from "./m0.js"; export { all };' };
  const known = new Map();
  for (let index = count - 1; index >= 0; index--)
    files[`m${index}.js`] =
      `const log = globalThis.linkingLog;\n${makeModule(random, index, count, hasCircles, known)}`;
  files["m0.js"] += "\nexport { log };";
  return files;
}

/** What a package does: the log of its evaluation and its exports, or the error. @param {() => Promise<any>} load */
async function outcome(load) {
  const log = [];
  /** @type {any} */ (globalThis).linkingLog = log;
  try {
    const namespace = await load();
    const evaluated = [...log];
    return { evaluated, shown: shown({ ...namespace }), names: Object.keys(namespace) };
  } catch (error) {
    return { error };
  }
}

const counts = { same: 0, refused: 0, left: 0 };
test(`${CASES} random packages do the same as one text`, async () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const files = makePackage(seed);
    const expected = await outcome(() => folder.import(files));
    for (const waits of [false, true]) {
      const told = `seed ${seed}${waits ? ", waiting" : ""}`;
      const actual = await outcome(() => folder.import({ "index.js": joined(files, waits) }));
      if (expected.error instanceof SyntaxError && /export|import/.test(expected.error.message)) {
        assert.ok(actual.error instanceof GlueError, `${told}: ${expected.error.message} | ${actual.error?.stack}`);
        counts.refused++;
        // What waits is undefined, not an error, before it is there.
      } else if (expected.error) counts.left++;
      else {
        if (actual.error) throw new Error(`${told}: ${actual.error.stack}`);
        assert.deepEqual(actual, expected, told);
        counts.same++;
      }
    }
  }
  assert.ok(counts.same > CASES / 4 && counts.refused > 0, JSON.stringify(counts));
});
