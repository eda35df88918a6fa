// A Pyodide with the inner half of the plugin (guest.py) in it, in a browser.

import { prepared } from "./guest.mjs";

let starting;

async function start() {
  // The page passes its address on to its worker.
  const folder = new URLSearchParams(location.search).get("pyodide");
  const { loadPyodide } = await import(`${folder}pyodide.mjs`);
  const bytes = async (url) => (await fetchOk(new URL(url, location.href))).arrayBuffer();
  return prepared(await loadPyodide(), bytes);
}

async function fetchOk(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return response;
}

/** Calls a verb, and returns a text, or why this Pyodide is dead. It never rejects. */
export async function call(verb, text) {
  try {
    return { text: await (await (starting ??= start()))(verb, text) };
  } catch (error) {
    return { fatal: `${error}\n${error?.stack}` }; // not every engine begins the stack with the message
  }
}
