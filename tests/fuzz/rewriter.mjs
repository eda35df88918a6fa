/**
 * Mutated Wasm files into the rewriter: it gives a module or a reason, and never fails itself.
 *
 *     node tests/fuzz/rewriter.mjs COUNT [FIRST]   that many cases
 *     node tests/fuzz/rewriter.mjs 1 4711          case 4711 alone
 *
 * A file that the engine takes is one that it takes when it is rewritten, too.
 */

import { pickPackage } from "./corpus.mjs";
import { mutateWasm } from "./mutate_wasm.mjs";
import { NotRewritten, rewrite } from "./plain_wasm.mjs";
import { Counts, fail, readRange } from "./processes.mjs";
import { Random } from "./random.mjs";

/** @param {Random} random */
function mutated(random) {
  const { wasm } = pickPackage(random);
  if (random.chance(0.6)) return mutateWasm(random, wasm).bytes;
  const bytes = wasm.slice(0, random.chance(0.3) ? random.below(wasm.length) : wasm.length);
  for (let flips = 1 + random.below(4); bytes.length && flips--; )
    bytes[random.below(bytes.length)] ^= 1 << random.below(8);
  return bytes;
}

/** @param {number} number */
function check(number) {
  const bytes = mutated(new Random(number));
  const isValid = WebAssembly.validate(bytes);
  let rewritten;
  try {
    rewritten = rewrite(bytes);
  } catch (error) {
    if (!(error instanceof NotRewritten)) throw error;
    if (isValid) throw new Error(`a valid file was not rewritten: ${error.message}`);
    return error.message.startsWith("this is not a Wasm module") ? "malformed" : "refused";
  }
  if (!isValid) return "rewritten, as invalid as it was";
  if (!WebAssembly.validate(rewritten)) throw new Error("a valid file became invalid");
  return "rewritten, and valid";
}

const [count, first] = readRange("how many? node tests/fuzz/rewriter.mjs COUNT [FIRST]");
const outcomes = new Counts();
for (let number = first; number < first + count; number++) {
  try {
    outcomes.add(check(number));
  } catch (error) {
    fail(`case ${number}: ${/** @type {Error} */ (error).stack}`, `node tests/fuzz/rewriter.mjs 1 ${number}`);
  }
}
console.log(`${count} mutated files for the rewriter: ${outcomes}`);
