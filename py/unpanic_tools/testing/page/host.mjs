// A page that runs tests in Pyodide, on its main thread or in a worker. unpanic_tools/testing/host.py drives it.

import { call as callHere } from "./pyodide.mjs";

const isWorker = new URLSearchParams(location.search).get("realm") === "worker";
const outcomes = new Map();

/** Does the same as `call` of pyodide.mjs, but in a worker. */
function inWorker() {
  const worker = new Worker("worker.mjs", { type: "module" });
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

const call = isWorker ? inWorker() : callHere;

globalThis.host = {
  /** Starts a call, and returns before it begins, because it may keep the page busy for ever. */
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
