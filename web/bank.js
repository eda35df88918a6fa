// The first page: buttons for the teller, and the outcome of its calls, with unpanic and without.

import { fetchOk, files, startPython } from "./boot.js";
import { element } from "./dom.js";
import { showRust, showTraceback } from "./exception.js";
import { Log, showAccounts } from "./log.js";
import { keepOffline, worker } from "./offline_page.js";
import { sendRequests } from "./requests.js";
import { SourceEditor } from "./source_editor.js";
import { legend, Timeline } from "./timeline.js";
import { Without } from "./without_frame.js";

const $ = (selector) => document.querySelector(selector);

/**
 * The buttons: `name` is the teller's function. A button that needs no teller has `run` instead. `blocks` says why the
 * page does not move while the call runs.
 */
const ACTIONS = [
  { name: "deposit", label: "Deposit", hint: "an ordinary call" },
  { name: "overdraw", label: "Overdraw", hint: "a panic", kills: true },
  { name: "audit", label: "Audit", hint: "stack overflow", kills: true },
  { name: "statements", label: "Statements", hint: "out of memory", kills: true },
  {
    name: "loop",
    label: "Endless loop",
    hint: "timeout=1",
    kills: true,
    blocks: "Rust computes on this page, which waits until the timeout",
  },
  { name: "wait", label: "Wait 3 s", hint: "an async call" },
  { name: "requests", label: "3 requests", hint: "fetch(), for 3 s", run: () => sendRequests(log, timeline, show) },
];

const log = new Log($("#log"));
const timeline = new Timeline($("#timeline"));
const without = new Without($("#without"), $("#without-state"), $("#reload"), $("#end"));
const buttons = ACTIONS.map(button);
let desk, editor, original, rust;
let opened = false;
// However fast the switch moves, the loads run one after the other.
let opening = Promise.resolve();

legend($("#legend"));
$("#actions").append(...buttons);
setInterval(showUptime, 1000);
start().catch((error) => {
  pill("bad", "did not start");
  log.add("crash", "Python", `did not start: ${String(error).slice(0, 200)}`);
});

function button({ name, label, hint, kills, blocks, run = () => act(name, blocks) }) {
  const control = element(
    "button",
    { type: "button", className: kills ? "action kills" : "action", disabled: true, data: { action: name } },
    element("b", {}, label),
    " ",
    element("small", {}, hint),
  );
  control.addEventListener("click", run);
  return control;
}

async function start() {
  const { bank, loops, rust: sources } = await files;
  const read = async (url) => (await fetchOk(url)).text();
  const readRust = async ([module, url]) => [module, await read(url)];
  const [teller, ...texts] = await Promise.all([read("teller.py"), ...Object.entries(sources).map(readRust)]);
  original = teller;
  rust = Object.fromEntries(texts);
  showSource({ module: "bank", file: "src/lib.rs", line: null, function: "withdraw" });
  editor = new SourceEditor($("#editor"), original, runSource);
  const pyodide = await startPython(["editor.py", "with_unpanic.py"]);
  pyodide.setStdout({ batched: (line) => log.add("note", "print", line) });
  desk = pyodide.pyimport("with_unpanic").Desk(JSON.stringify({ bank, loops }), JSON.stringify(rust));
  await open();
  for (const control of [...buttons, $("#run"), $("#original")])
    control.disabled = control.dataset.action === "requests";
  without.start(() => editor.source);
  await Promise.all([serve(), keepOffline("bank", $("#offline"))]);
}

/** Lets Python answer requests. In a browser without service workers only that button stays disabled. */
async function serve() {
  const control = $("[data-action=requests]");
  try {
    await desk.serve("requests/", worker);
    control.disabled = false;
  } catch (error) {
    control.title = String(error.message).trim().split("\n").at(-1);
  }
}

/** Loads the bank with the strategy that the switch shows. */
function open() {
  opening = opening.then(async () => {
    const strategy = $("input[name=strategy]:checked").value;
    const again = opened ? " again" : "";
    pill("", "loading");
    const outcome = JSON.parse(await desk.open(strategy, editor.source));
    opened = true;
    log.add("note", `recovery: ${strategy}`, `the bank is loaded${again}, and morning() opened the accounts`);
    showOutcome(outcome);
    show();
  });
  return opening;
}

async function act(name, blocks) {
  without.act(name);
  if (blocks) {
    log.add("note", `${name}()`, blocks);
    // The other half begins, and the line is painted, before this page is busy.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  }
  const answer = desk.call(name).then(JSON.parse);
  // Until then, a call that waits is shown as in flight. On a busy machine it begins late.
  setTimeout(show, 20);
  const repeated = setInterval(show, 500);
  const { result, failure, recovery, generation, milliseconds } = await answer.finally(() => clearInterval(repeated));
  const tag = `gen ${generation}`;
  if (failure) {
    const interrupted = failure.type === "CallInterrupted";
    log.add(interrupted ? "interrupted" : "crash", `${name}()`, `${failure.type}: ${failure.message}`, tag);
    if (recovery) log.add(recovery.ended ? "crash" : "recovered", "", recovery.text);
    // The crash that interrupted the call is shown already, and says more.
    if (!interrupted) showFailure(failure);
  } else {
    log.add(
      "good",
      `${name}()`,
      `→ ${result}${milliseconds > 100 ? ` after ${(milliseconds / 1000).toFixed(1)} s` : ""}`,
      tag,
    );
  }
  show();
}

/** Runs the source that the editor holds. */
function runSource() {
  if (!desk) return;
  showOutcome(JSON.parse(desk.run(editor.source)));
  show();
}

function showOutcome({ functions, syntax, failure }) {
  editor.mark(syntax);
  $("#syntax").hidden = !syntax;
  $("#syntax").textContent = syntax ? `Line ${syntax.line}: ${syntax.message}. The previous functions stay.` : "";
  if (functions) log.add("note", "teller.py", `runs: ${functions.join(", ")}`);
  if (failure) {
    log.add("crash", "teller.py", `${failure.type}: ${failure.message}`);
    showFailure(failure);
  }
}

function showFailure(failure) {
  showTraceback($("#exception"), failure);
  showSource(failure);
}

/** Shows the Rust source of the module that failed. */
function showSource(place) {
  $("#rust-title").textContent = place.file;
  showRust($("#rust"), $("#rust-place"), place, rust[place.module]);
}

/** Updates everything except the lines of the log. */
function show() {
  const state = JSON.parse(desk.state());
  const ended = state.phase === "terminated";
  pill(ended ? "bad" : "good", ended ? "ended" : state.phase);
  $("#reopen").hidden = !ended;
  showAccounts($("#accounts"), state.accounts, ["generation", state.generation], ["in flight", state.in_flight]);
  $("#survived").textContent = state.survived;
  const took = state.recovery_ms;
  // A page's clock has steps of 0.1 ms.
  $("#recovery").textContent = took === null ? "–" : took < 0.1 ? "< 0.1 ms" : `${took.toFixed(1)} ms`;
  timeline.update(state.timelines);
}

function pill(kind, text) {
  const status = $("#with-state");
  if (status.textContent !== text) status.textContent = text;
  status.className = `pill ${kind}`;
}

/** Shows the time since the page was opened: nothing here ever reloads it. */
function showUptime() {
  const seconds = Math.floor(performance.now() / 1000);
  $("#uptime").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

for (const radio of document.querySelectorAll("input[name=strategy]"))
  radio.addEventListener("change", () => desk && open());
$("#reopen").addEventListener("click", open);
$("#run").addEventListener("click", runSource);
$("#original").addEventListener("click", () => {
  editor.source = original;
  runSource();
});
