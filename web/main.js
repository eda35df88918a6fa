// Starts Pyodide, lets demo.py run in it, and shows what it says: on the page and in the console,
// where scripts/demo.py reads along.

const state = document.querySelector("#state");
const modules = document.querySelector("#modules");
const transcript = document.querySelector("#transcript");
const again = document.querySelector("#again");

const uncaught = [];
addEventListener("error", ({ message }) => uncaught.push(message));
addEventListener("unhandledrejection", ({ reason }) => uncaught.push(String(reason)));

/** What demo.py gets by `import page`. */
const page = {
  /** Shows one line of the transcript. */
  line(kind, ...cells) {
    console.log((kind === "title" ? "\n" : "") + cells.join("  "));
    const item = element("li", kind);
    const tag = kind === "title" ? "h3" : "span";
    // Spaces between them, so that a copied line reads like one of the console.
    item.append(...cells.flatMap((cell) => [element(tag, role(cell), cell), " "]));
    transcript.append(item);
  },

  /** Shows what a module is doing: a row of its own in the table. */
  status(name, ...numbers) {
    const id = `status-${name}`;
    const row = document.getElementById(id) ?? modules.appendChild(Object.assign(element("tr"), { id }));
    const heading = Object.assign(element("th", "", name), { scope: "row" });
    const fields = ["generation", "crashes", "in-flight"];
    row.replaceChildren(heading, ...fields.map((field, i) => element("td", field, numbers[i])));
  },

  /** Errors that nobody caught, since the page was opened. */
  uncaught: () => [...uncaught],
};

/** Which part of a call a cell is. */
function role(cell) {
  if (cell.startsWith("[generation")) return "generation";
  return cell.startsWith("->") ? "outcome" : "";
}

function element(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

async function fetchOk(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return response;
}

/** Where Pyodide, the wheel and the Rust packages are. The server knows, a copy of the site may differ. */
const paths = fetchOk("paths.json").then((response) => response.json());
let starting;

async function start() {
  const { pyodide: pyodideUrl, wheel } = await paths;
  const { loadPyodide } = await import(pyodideUrl);
  const pyodide = await loadPyodide();
  // Where there is a network, `await micropip.install("unpanic")` does the same.
  pyodide.unpackArchive(await (await fetchOk(wheel)).arrayBuffer(), "wheel");
  pyodide.registerJsModule("page", page);
  const source = await (await fetchOk("demo.py")).text();
  document.querySelector("#source").textContent = source;
  pyodide.FS.writeFile("demo.py", source);
  return pyodide.pyimport("demo");
}

async function run() {
  again.disabled = true;
  transcript.replaceChildren();
  modules.replaceChildren();
  delete state.dataset.result;
  let good = false;
  try {
    state.textContent = "Starting Python …";
    const demo = await (starting ??= start());
    state.textContent = "Running …";
    const { bank, prql } = await paths;
    good = await demo.main(bank, prql);
  } catch (error) {
    page.line("problem", `The demo itself failed: ${error.message}`);
  }
  state.textContent = good ? "All went as it should." : "Something did not go as it should, see the transcript.";
  state.dataset.result = good ? "good" : "bad";
  again.disabled = false;
}

again.addEventListener("click", run);
run();
