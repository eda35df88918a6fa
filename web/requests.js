// Sends requests that Python answers through the service worker, and shows the answers.

// Each request is in flight for three seconds. A button that crashes the bank in that time makes each of them a 500 at
// once. (The browser reports each 500 in its console, as it would for any server.)
const REQUESTED = "wait";
const REQUESTS = 3;
const BETWEEN_MS = 150;

/**
 * Sends the requests, and shows each answer when it arrives.
 *
 * @param {import("./log.js").Log} log @param {import("./timeline.js").Timeline} timeline @param {() => void} show
 */
export async function sendRequests(log, timeline, show) {
  for (let sent = 0; sent < REQUESTS; sent++) {
    send(REQUESTED, log, timeline).then(show);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    show(); // by now its call has begun
  }
}

async function send(name, log, timeline) {
  const request = timeline.request(`fetch("requests/${name}")`);
  const response = await fetch(`requests/${name}`);
  const answer = await response.json();
  request.end(response.ok ? "returned" : answer.interrupted ? "interrupted" : "failed");
  const kind = response.ok ? "good" : answer.interrupted ? "interrupted" : "crash";
  const said = response.ok
    ? `→ ${answer.result}`
    : answer.interrupted
      ? `interrupted: ${answer.call ? `${answer.kind.replaceAll("_", " ")} in ${answer.call}` : answer.detail}`
      : answer.message;
  log.add(kind, `GET requests/${name}`, `${response.status} ${said}`, "http");
}
