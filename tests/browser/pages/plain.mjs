// Plain JavaScript for test_content_security_policy.py, imported by a page or run as a worker.

import { load } from "/unpanic/unpanic.js";

/** Returns the results of a load, a crash and a recovery, or the error of `load`. */
export async function story(glue) {
  let bank;
  try {
    bank = await load(glue);
  } catch (error) {
    return [error.name, error.message];
  }
  const { add, slow, transfer } = bank.exports;
  const outcome = (error) => error.name;
  const found = [add(2, 3)];
  const inFlight = slow(10_000).catch(outcome);
  try {
    transfer("ada", "bob", 1n);
  } catch (error) {
    found.push(outcome(error));
  }
  found.push(await inFlight, add(2, 3), await slow(5), bank.generation);
  bank.unload();
  return found;
}

if ("WorkerGlobalScope" in globalThis) {
  globalThis.onmessage = async ({ data }) => postMessage(await story(data));
}
