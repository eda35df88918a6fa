// Starts Pyodide, lets transcript.py run in it, and shows what it says: on the page and in the console,
// where scripts/demo.py reads along.

import { files, startPython } from "./boot.js";
import { element } from "./dom.js";
import { keepOffline } from "./offline_page.js";

const state = document.querySelector("#state");
const modules = document.querySelector("#modules");
const transcript = document.querySelector("#transcript");
const again = document.querySelector("#again");

const uncaught = [];
addEventListener("error", ({ message }) => uncaught.push(message));
addEventListener("unhandledrejection", ({ reason }) => uncaught.push(String(reason)));

/** What transcript.py gets by `import page`. */
const page = {
  /** Shows one line of the transcript. */
  line(kind, ...cells) {
    console.log((kind === "title" ? "\n" : "") + cells.join("  "));
    const item = element("li", { className: kind });
    const tag = kind === "title" ? "h3" : "span";
    // Spaces between them, so that a copied line reads like one of the console.
    item.append(...cells.flatMap((cell) => [element(tag, { className: role(cell) }, cell), " "]));
    transcript.append(item);
  },

  /** Shows what a module is doing: a row of its own in the table. */
  status(name, ...numbers) {
    const id = `status-${name}`;
    const row = document.getElementById(id) ?? modules.appendChild(element("tr", { id }));
    const heading = element("th", { scope: "row" }, name);
    const fields = ["generation", "crashes", "in-flight"];
    row.replaceChildren(heading, ...fields.map((field, i) => element("td", { className: field }, String(numbers[i]))));
  },

  /** Errors that nobody caught, since the page was opened. */
  uncaught: () => [...uncaught],
};

/** Which part of a call a cell is. */
function role(cell) {
  if (cell.startsWith("[generation")) return "generation";
  return cell.startsWith("->") ? "outcome" : "";
}

let starting;

async function start() {
  const pyodide = await startPython(["transcript.py"]);
  pyodide.registerJsModule("page", page);
  document.querySelector("#source").textContent = pyodide.FS.readFile("transcript.py", { encoding: "utf8" });
  return pyodide.pyimport("transcript");
}

async function run() {
  again.disabled = true;
  transcript.replaceChildren();
  modules.replaceChildren();
  delete state.dataset.result;
  let good = false;
  try {
    state.textContent = "Starting Python …";
    const transcribed = await (starting ??= start());
    state.textContent = "Running …";
    const { bank, prql } = await files;
    good = await transcribed.main(bank.abort, prql);
  } catch (error) {
    page.line("problem", `The demo itself failed: ${error.message}`);
  }
  state.textContent = good ? "All went as it should." : "Something did not go as it should, see the transcript.";
  state.dataset.result = good ? "good" : "bad";
  again.disabled = false;
}

again.addEventListener("click", run);
await run();
await keepOffline("transcript", document.querySelector("#offline"));
