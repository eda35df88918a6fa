/** From an adapter to a module with its first generation, and the errors that say why there is none. */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { isTooLarge, saysNoMemoryForInstance } from "../diagnosis/engines.js";
import { allocatorsIn } from "../glue/glue.js";
import { exceptionStore, readHabits } from "../instance/habits.js";
import { OWN_MODULE, REFUEL } from "../instance/stopwatch.js";
import { SupervisedModule } from "../module/module.js";
import { LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { describeTooLarge } from "../shared/messages.js";
import { readMark } from "../wasm/rewriting.js";
import { moduleName } from "./naming.js";

/** @import {Adapter, Compiled, Glue} from "../types.js" */

/**
 * @typedef {{name?: string, rollsBack?: boolean, spare?: boolean | null, startMs?: number, movedTo?: string}} Settings
 */

/** @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings */
function makeModule(glue, adapter, compiled, { name, rollsBack, ...settings }) {
  const { module, wasm, origin } = compiled;
  const { description, missing } = adapter;
  const { unwinds, memoryPages } = wasm;
  return new SupervisedModule({
    name: name ?? moduleName(glue.url),
    adapter,
    description,
    unwinds,
    memoryPages: adapter.name === "raw" ? NaN : memoryPages,
    ...(rollsBack && howToRollBack(adapter, compiled)),
    allocators: allocatorsIn(glue),
    isInterruptible: wasm.imports.some(({ module, name }) => module === OWN_MODULE && name === REFUEL),
    warnings: missing.length ? [describeMissing(adapter, glue, origin)] : [],
    storesException: exceptionStore(glue.source),
    ...readHabits(module, unwinds),
    ...settings,
  });
}

/** @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings */
export function openAtOnce(glue, adapter, compiled, settings) {
  try {
    const module = makeModule(glue, adapter, compiled, settings);
    module.openAtOnce();
    return module;
  } catch (error) {
    adapter.release();
    throw explainInstantiation(error, glue);
  }
}

/**
 * @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings
 * @param {AbortSignal | undefined} signal
 */
export async function open(glue, adapter, compiled, settings, signal) {
  let module;
  try {
    signal?.throwIfAborted();
    module = makeModule(glue, adapter, compiled, settings);
    await module.open();
    signal?.throwIfAborted();
    return module;
  } catch (error) {
    if (module) module.close();
    else adapter.release();
    throw signal?.aborted ? signal.reason : explainInstantiation(error, glue);
  }
}

/**
 * Where the module marks what it writes, or why its calls cannot be rolled back.
 * @param {Adapter} adapter @param {Compiled} compiled
 */
function howToRollBack({ name }, { module, whyNoRollback }) {
  const { cards = null, fingerprint = "" } = readMark(module) ?? {};
  if (name !== "native") return { cards, fingerprint, whyNoRollback };
  return { cards: null, whyNoRollback: "its glue was imported, and what that keeps cannot be brought back" };
}

/** The warning about missing exports. @param {Adapter} adapter @param {Glue} glue @param {string} origin */
function describeMissing({ name, missing }, glue, origin) {
  const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
  if (name === "raw")
    return `${origin} has exports of other types than numbers, which are left out: ${shown}. The others work.`;
  return (
    `${glue.url} calls what ${origin} does not export: ${shown}. Everything else works; a call that needs it raises ` +
    "GlueError. Were both files written by the same build?"
  );
}

/** @param {unknown} error of the engine, or of the first generation @param {Glue} glue */
function explainInstantiation(error, glue) {
  if (isInstance(error, LoadError)) return error;
  const message = describeThrown(error);
  if (isTooLarge(message))
    return new LoadError(`${glue.url}: its Wasm file is ${describeTooLarge("instantiates at once")}`, { cause: error });
  if (saysNoMemoryForInstance(message)) {
    return new LoadError(
      `${glue.url} cannot be instantiated: the browser has no memory left for it (${message}). ` +
        "Chromium allows about 125 live Wasm memories, Firefox 1,000: unload modules that are not needed any more.",
      { cause: error },
    );
  }
  return new LoadError(`${glue.url} cannot be instantiated: ${message}`, { cause: error });
}
