// A page that holds a Pyodide for tests/harness.py, on its main thread or in a worker.

import { call as callHere } from "./pyodide.mjs";

const realm = new URLSearchParams(location.search).get("realm");
const call = realm === "worker" ? workerCall() : callHere;
const outcomes = new Map();

/** The same as `call` of pyodide.mjs, but in a worker. */
function workerCall() {
  const worker = new Worker("/tests/worker.mjs", { type: "module" });
  const waiting = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, outcome } }) => {
    waiting.get(id)(outcome);
    waiting.delete(id);
  };
  return (verb, text) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      worker.postMessage({ id: last, verb, text });
    });
}

globalThis.host = {
  /** Starts a call. It returns first, because the call may keep the page busy for ever. */
  begin(id, verb, text) {
    setTimeout(async () => outcomes.set(id, await call(verb, text)));
  },

  /** The outcome of a call that has ended, once. */
  take(id) {
    const outcome = outcomes.get(id);
    outcomes.delete(id);
    return outcome;
  },
};
