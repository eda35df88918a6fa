// A Pyodide with the Python half of the test harness (harness.py) in it.

// The page passes it on to its worker.
const folder = new URLSearchParams(location.search).get("pyodide");
let starting;

/** For `begin_test` of harness.py: makes of an error an uncaught one. */
globalThis.reportLater = (error) =>
  queueMicrotask(() => {
    throw error;
  });

/**
 * Calls a verb with a text, and returns a text. The verbs are those of harness.py, `install` with the address
 * of a wheel, and `register` with the address of a file of unpanic's runtime.
 * Never rejects: an error here becomes an outcome which says that this Pyodide is broken.
 */
export async function call(verb, text) {
  try {
    const { pyodide, harness } = await (starting ??= start());
    if (verb === "install") {
      pyodide.unpackArchive(await (await fetchOk(text)).arrayBuffer(), "wheel");
      return { text: "" };
    }
    if (verb === "register") {
      const [, name] = /(\w+)\.js$/.exec(text);
      pyodide.registerJsModule(`unpanic_${name}`, await import(text));
      return { text: "" };
    }
    return { text: await harness[verb](text) };
  } catch (error) {
    return { fatal: `${error}\n${error?.stack}` }; // not every engine begins the stack with the message
  }
}

async function start() {
  const { loadPyodide } = await import(`${folder}pyodide.mjs`);
  const pyodide = await loadPyodide();
  pyodide.FS.writeFile("harness.py", await (await fetchOk("/tests/harness.py")).text());
  return { pyodide, harness: pyodide.pyimport("harness") };
}

async function fetchOk(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return response;
}
