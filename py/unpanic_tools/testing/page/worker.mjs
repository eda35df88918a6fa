// The worker of host.mjs, dedicated or shared.

import { call } from "./pyodide.mjs";

function serve(port) {
  port.onmessage = async ({ data: { id, verb, text } }) => port.postMessage({ id, outcome: await call(verb, text) });
}

/** Browsers do not report the uncaught errors of a shared worker, so the page reports them as its own. */
function tellUncaught(port) {
  // Firefox leaves the message out of the stack.
  const tell = (event, error) => {
    event.preventDefault();
    port.postMessage({ uncaught: `${error}\n${error?.stack ?? ""}` });
  };
  addEventListener("error", (event) => tell(event, event.error ?? event.message));
  addEventListener("unhandledrejection", (event) => tell(event, event.reason));
}

if ("onconnect" in globalThis) {
  globalThis.onconnect = ({ ports: [port] }) => {
    tellUncaught(port);
    serve(port);
  };
} else {
  if (new URLSearchParams(location.search).has("listens")) tellUncaught(globalThis);
  serve(globalThis);
}
