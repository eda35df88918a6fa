// Starts Python, in a page or in a worker. They differ only in the Python files that they run.

/** The addresses that the build wrote down, all relative to the page or worker. */
export const files = fetchOk("files.json").then((response) => response.json());

export async function fetchOk(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return response;
}

/** Starts Pyodide with these Python files in its working folder, and with the wheel of unpanic if `wheel` is true. */
export async function startPython(sources, { wheel = true, ...options } = {}) {
  const known = await files;
  const { loadPyodide } = await import(new URL(known.pyodide, location).href);
  const [pyodide, archive, ...texts] = await Promise.all([
    loadPyodide(options),
    wheel && fetchOk(known.wheel).then((response) => response.arrayBuffer()),
    ...sources.map(async (name) => (await fetchOk(name)).text()),
  ]);
  // With a network, `await micropip.install(...)` of the wheel does the same.
  if (wheel) pyodide.unpackArchive(archive, "wheel");
  for (const [i, name] of sources.entries()) pyodide.FS.writeFile(name, texts[i]);
  return pyodide;
}
