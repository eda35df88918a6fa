// A page that holds a Pyodide for tests/harness.py, on its main thread or in a worker.

import { call as callHere } from "./pyodide.mjs";

const realm = new URLSearchParams(location.search).get("realm");
const call = realm === "page" ? callHere : remoteCall(realm === "worker" ? startWorker() : startSharedWorker());
const outcomes = new Map();

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
  /** Starts a call, and returns before the call begins, because the call may keep the page busy for ever. */
  begin(id, verb, text) {
    setTimeout(async () => outcomes.set(id, await call(verb, text)));
  },

  /** Returns the outcome of a call that has ended, and forgets it. */
  take(id) {
    const outcome = outcomes.get(id);
    outcomes.delete(id);
    return outcome;
  },
};
