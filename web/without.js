// The same bank and the same teller, without unpanic: Pyodide's plain proxies around the glue.

import { files, startPython } from "./boot.js";
import { Log, showAccounts } from "./log.js";

const log = new Log(document.querySelector("#log"));
const accounts = document.querySelector("#accounts");
const tell = (message) => parent !== window && parent.postMessage(message, location.origin);
// The number of calls since the first crash, and how many of them failed.
let calls = null;
let failed = 0;
let teller;

// Without unpanic, the text of a panic goes only to the console, so the console is shown.
console.error = (...texts) => log.add("console", "console.error", texts.join(" ").split("\n").join(" ").slice(0, 160));

async function start() {
  const { bank } = await files;
  const pyodide = await startPython(["editor.py", "without_unpanic.py"], { wheel: false });
  const glue = await import(new URL(bank.abort, document.baseURI).href);
  await glue.default();
  pyodide.registerJsModule("bank", glue);
  pyodide.setStdout({ batched: (line) => log.add("note", "print", line) });
  teller = pyodide.pyimport("without_unpanic");
  teller.open_bank(await source());
  show();
  log.add("note", "import(bank.js)", "the bank is loaded");
  tell({ ready: true });
}

/** Returns the source that the editor holds. A page that is opened alone takes the original source. */
function source() {
  if (parent === window) return fetch("teller.py").then((response) => response.text());
  return new Promise((resolve) => {
    addEventListener("message", ({ data }) => resolve(data.source), { once: true });
    tell({ wantsSource: true });
  });
}

async function act(name, text) {
  const wasDead = calls !== null;
  const { result, failure, is_crash: isCrash } = JSON.parse(await teller.call(name, text));
  if (wasDead) {
    calls++;
    if (failure) failed++;
  } else if (isCrash) calls ??= 0;
  log.add(failure ? "crash" : "good", `${name}()`, failure ?? `→ ${result}`);
  show();
  if (calls !== null) tell({ failed, after: calls });
}

/** Shows the balances. To look them up takes calls, which fail like all others once the bank is dead. */
function show() {
  const { accounts: balances, failure } = JSON.parse(teller.balances());
  showAccounts(accounts, balances, ...(failure ? [["balance_of()", failure]] : []));
}

addEventListener(
  "message",
  ({ source, data }) => source === parent && data.name && teller && act(data.name, data.source),
);
start().catch((error) => log.add("crash", "Python", `did not start: ${String(error).slice(0, 200)}`));
