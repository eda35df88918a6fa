/** From an adapter to a module with its first generation, and the errors that say why there is none. */

import { describeThrown } from "../diagnosis/diagnosis.js";
import { isTooLarge, saysNoMemoryForInstance } from "../diagnosis/engines.js";
import { exceptionStore, readHabits } from "../instance/habits.js";
import { isRefuel } from "../instance/imports.js";
import { SupervisedModule } from "../module/module.js";
import { LoadError } from "../shared/errors.js";
import { isInstance } from "../shared/isinstance.js";
import { describeTooLarge } from "../shared/messages.js";
import { moduleName } from "./naming.js";

/** @import {Adapter, Compiled, Glue} from "../types.js" */

/** @typedef {{name?: string, spare?: boolean | null, startMs?: number, movedTo?: string}} Settings */

/** @param {Glue} glue @param {Adapter} adapter @param {Compiled} compiled @param {Settings} settings */
function makeModule(glue, adapter, { module, wasm, origin }, { name, ...settings }) {
  const { description, missing } = adapter;
  const { unwinds, memoryPages } = wasm;
  return new SupervisedModule({
    name: name ?? moduleName(glue.url),
    adapter,
    description,
    unwinds,
    memoryPages,
    isInterruptible: wasm.imports.some(({ module, name }) => isRefuel(module, name)),
    warnings: missing.length ? [describeMissing(glue, missing, origin)] : [],
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

/** The warning about missing exports. @param {Glue} glue @param {string[]} missing @param {string} origin */
function describeMissing(glue, missing, origin) {
  const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ` and ${missing.length - 5} more` : "");
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
