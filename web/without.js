// The same bank and the same teller, without unpanic. They run in a worker of their own: an endless loop freezes only
// the worker, so this page can show that nothing in it answers any more.

import { Log, showAccounts } from "./log.js";

const PING_MS = 500;
// If a ping has no answer for this time, the worker is stuck. All calls but an endless loop leave room for a ping.
const SILENT_MS = 2_000;
// So long the next call waits for the answer of a call that takes time, such as one that waits three seconds.
const PATIENCE_MS = 200;

const log = new Log(document.querySelector("#log"));
const accounts = document.querySelector("#accounts");
const tell = (message) => parent !== window && parent.postMessage(message, location.origin);
const worker = new Worker("without_worker.js", { type: "module" });
// What to do with the answers of the worker that have not come yet, by number.
const waiting = new Map();
let questions = 0;
// The number of calls since the first crash, and how many of them failed.
let calls = null;
let failed = 0;
// The calls that have begun and not ended.
const running = new Set();
let ready = false;
let silent = false;
let watch;

/** Lets the worker do something, and returns its answer. */
function ask(action, details = {}) {
  const id = ++questions;
  worker.postMessage({ id, action, ...details });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

worker.addEventListener("message", ({ data: { id, answer, error, line } }) => {
  if (line) return say(...line);
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  error === undefined ? resolve(JSON.parse(answer)) : reject(error);
});
worker.addEventListener("error", ({ message }) => doesNotStart(message));

function say(kind, subject, text) {
  log.add(kind, subject, text.split("\n").join(" ").slice(0, 160));
}

async function start() {
  show(await ask("open", { source: await source() }));
  log.add("note", "import(bank.js)", "the bank is loaded, in a worker of its own");
  ready = true;
  watch = setInterval(ping, PING_MS);
  tell({ ready });
}

function doesNotStart(error) {
  say("crash", "Python", `did not start: ${error}`);
}

/** Returns the source that the editor holds. A page that is opened alone takes the original source. */
function source() {
  if (parent === window) return fetch("teller.py").then((response) => response.text());
  return new Promise((resolve) => {
    addEventListener("message", ({ data }) => resolve(data.source), { once: true });
    tell({ wantsSource: true });
  });
}

async function act(name, source) {
  const call = { name };
  const wasDead = calls !== null;
  if (silent) sayNoAnswer(call);
  running.add(call);
  const { result, failure, is_crash: isCrash } = await ask("call", { name, source });
  running.delete(call);
  if (wasDead) {
    calls++;
    if (failure) failed++;
  } else if (isCrash) calls ??= 0;
  log.add(failure ? "crash" : "good", `${name}()`, failure ?? `→ ${result}`);
  show(await ask("balances"));
  if (calls !== null) tell({ failed, after: calls });
}

/** Shows the balances. To look them up takes calls, which fail like all others once the bank is dead. */
function show({ accounts: balances, failure }) {
  showAccounts(accounts, balances, ...(failure ? [["balance_of()", failure]] : []));
}

// When the ping was sent that has no answer yet.
let pinged = null;

/** Asks whether the worker still answers, and tells the page for how long it has not. */
async function ping() {
  if (pinged !== null) return tellSilence(performance.now() - pinged);
  pinged = performance.now();
  await ask("ping");
  pinged = null;
  if (silent) tell({ silent: 0 });
  silent = false;
}

function tellSilence(milliseconds) {
  if (milliseconds < SILENT_MS) return;
  if (!silent) for (const call of running) sayNoAnswer(call);
  silent = true;
  tell({ silent: Math.floor(milliseconds / 1000) });
}

function sayNoAnswer({ name }) {
  log.add("crash", `${name}()`, "no answer");
}

/** Ends the worker: without unpanic, this alone ends a loop in it. */
function end() {
  clearInterval(watch);
  worker.terminate();
  ready = false;
  log.add("crash", "worker.terminate()", "ends the loop, and with it Python, the bank and all that they held");
  accounts.replaceChildren();
  tell({ ended: true });
}

// The call before, or the moment from which on the next one may begin although that has not ended.
let previous = Promise.resolve();

/** Calls begin in turn: an endless loop would keep back the answer of a call that began just before. */
function actInTurn(name, source) {
  const begin = () => act(name, source).catch((error) => say("crash", `${name}()`, String(error)));
  const patience = () => new Promise((next) => setTimeout(next, PATIENCE_MS));
  previous = previous.then(() => Promise.race([begin(), patience()]));
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || !ready) return;
  if (data.end) end();
  else if (data.name) actInTurn(data.name, data.source);
});
start().catch(doesNotStart);
