// A page that runs tests in Pyodide, on its main thread or in a worker. unpanic_tools/testing/host.py drives it.

import { call as callHere } from "./pyodide.mjs";

const realm = new URLSearchParams(location.search).get("realm");
const call = realm === "page" ? callHere : remoteCall(realm === "shared" ? startSharedWorker() : startWorker());
const outcomes = new Map();

/** Where nothing else tells of a worker's uncaught errors, the page has `takeNotes`, and the worker tells the page. */
function startWorker() {
  const listens = "takeNotes" in globalThis ? "&listens" : "";
  return new Worker(`worker.mjs${location.search}${listens}`, { type: "module" });
}

/** The name of the shared worker makes it this page's own, so it ends with the page. */
function startSharedWorker() {
  return new SharedWorker(`worker.mjs${location.search}`, { type: "module", name: crypto.randomUUID() }).port;
}

/** Does the same as `call` of pyodide.mjs, but in a worker. */
function remoteCall(port) {
  const waiting = new Map();
  let last = 0;
  port.onmessage = ({ data: { id, outcome, uncaught } }) => {
    if (uncaught !== undefined) return reportError(new Error(uncaught));
    waiting.get(id)(outcome);
    waiting.delete(id);
  };
  return (verb, text) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      port.postMessage({ id: last, verb, text });
    });
}

globalThis.host = {
  /** Starts a call, and returns before it begins, because it may keep the page busy for ever. */
  begin(id, verb, text) {
    setTimeout(async () => {
      outcomes.set(id, await call(verb, text));
      console.debug(`host: ended ${id}`); // host.py waits for this
    });
  },

  /** Returns the outcome of a call that has ended, and forgets it. */
  take(id) {
    const outcome = outcomes.get(id);
    outcomes.delete(id);
    return outcome;
  },
};
