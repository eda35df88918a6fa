// Starts Pyodide, runs transcript.py in it, and shows its lines on the page and in the console. scripts/demo.py reads
// them from the console.

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

/** The module that transcript.py imports as `page`. */
const page = {
  /** Shows one line of the transcript. */
  line(kind, ...cells) {
    console.log((kind === "title" ? "\n" : "") + cells.join("  "));
    const item = element("li", { className: kind });
    const tag = kind === "title" ? "h3" : "span";
    // The spaces make a copied line read like a line of the console.
    item.append(...cells.flatMap((cell) => [element(tag, { className: role(cell) }, cell), " "]));
    transcript.append(item);
  },

  /** Shows the status of a module in its row of the table. */
  status(name, ...numbers) {
    const id = `status-${name}`;
    const row = document.getElementById(id) ?? modules.appendChild(element("tr", { id }));
    const heading = element("th", { scope: "row" }, name);
    const fields = ["generation", "crashes", "in-flight"];
    row.replaceChildren(heading, ...fields.map((field, i) => element("td", { className: field }, String(numbers[i]))));
  },

  /** Returns the errors since the page was opened that nothing caught. */
  uncaught: () => [...uncaught],
};

/** Returns which part of a call a cell shows. */
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
    const { bank, prql, loops } = await files;
    good = await transcribed.main(bank.abort, prql, loops);
  } catch (error) {
    page.line("problem", `The demo itself failed: ${error.message}`);
  }
  state.textContent = good ? "Every check passed." : "A check failed: see the transcript.";
  state.dataset.result = good ? "good" : "bad";
  again.disabled = false;
}

again.addEventListener("click", run);
await run();
await keepOffline("transcript", document.querySelector("#offline"));
