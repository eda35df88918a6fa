/** The thread that watches a process of cases: see child.mjs. */

import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { workerData as progress } from "node:worker_threads";
import { isOwn } from "./judge.mjs";

const LOOKS = 4;
const TICK_MS = 100;
// If no code runs, there is no stack to look at.
const IDLE_MS = 10_000;

const session = new Session();
session.connectToMainThread();
/** @type {Map<string, string>} */
const scripts = new Map();
session.on("Debugger.scriptParsed", ({ params: { scriptId, url } }) => scripts.set(scriptId, url));
/** @type {string[][]} the stacks that were seen */
const looks = [];
session.on("Debugger.paused", ({ params: { callFrames } }) => {
  const frames = callFrames.map(
    ({ functionName, location }) =>
      `${functionName} ${scripts.get(location.scriptId) ?? ""}:${location.lineNumber + 1}`,
  );
  looks.push(frames);
  if (looks.length < LOOKS) {
    session.post("Debugger.resume");
    setTimeout(() => session.post("Debugger.pause"), TICK_MS);
  } else report();
});

/** Decides whether unpanic loops: its code was on top each time, and it had not just been slow. */
function report() {
  if (Atomics.load(progress, 0) !== stuckAt) {
    looks.length = 0;
    session.post("Debugger.disable");
    return;
  }
  const reading = Atomics.load(progress, 3) === 1;
  const own = reading || looks.every(([top = ""]) => isOwn(top));
  const [frames = ["nothing runs: something is awaited that never comes"]] = looks;
  const stuck = own ? "unpanic" : "program";
  writeSync(1, `${JSON.stringify({ number: Atomics.load(progress, 2), stuck, frames: frames.slice(0, 12) })}\n`);
  process.kill(process.pid, "SIGKILL");
}

let steps = -1;
let stuckAt = -1;
let since = 0;
setInterval(() => {
  const now = Atomics.load(progress, 0);
  if (now !== steps) [steps, since] = [now, performance.now()];
  else if (since && performance.now() - since > Atomics.load(progress, 1)) {
    [stuckAt, since] = [now, 0];
    session.post("Debugger.enable", () => session.post("Debugger.pause"));
    setTimeout(report, IDLE_MS);
  }
}, TICK_MS);
