// The worker of host.mjs.

import { call } from "./pyodide.mjs";

globalThis.onmessage = async ({ data: { id, verb, text } }) => postMessage({ id, outcome: await call(verb, text) });
