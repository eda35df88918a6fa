// The bank and the teller without unpanic: Pyodide's plain proxies around the glue, in a worker. Each message gets its
// answer.

import { files, startPython } from "./boot.js";

// Without unpanic, the text of a panic goes only to the console, so the console is shown.
console.error = (...texts) => postMessage({ line: ["console", "console.error", texts.join(" ")] });

let teller;

const ACTIONS = {
  async open({ source }) {
    const { bank, loops } = await files;
    const pyodide = await startPython(["editor.py", "without_unpanic.py"], { wheel: false });
    for (const [name, url] of Object.entries({ bank: bank.abort, loops })) {
      const glue = await import(new URL(url, location).href);
      await glue.default();
      pyodide.registerJsModule(name, glue);
    }
    pyodide.setStdout({ batched: (line) => postMessage({ line: ["note", "print", line] }) });
    teller = pyodide.pyimport("without_unpanic");
    teller.open_bank(source);
    return teller.balances();
  },
  call: ({ name, source }) => teller.call(name, source),
  balances: () => teller.balances(),
  ping: () => "null",
};

addEventListener("message", async ({ data: { id, action, ...details } }) => {
  try {
    postMessage({ id, answer: await ACTIONS[action](details) });
  } catch (error) {
    postMessage({ id, error: String(error) });
  }
});
