// The service worker through which Python answers requests of the page (py/unpanic/service).
//
// It only routes requests. It asks the browser at each request who serves it, because engines stop and start workers as
// they like. Python holds a Web Lock for each prefix that it serves, named
//
//     unpanic-service <client> <since> <seconds> <prefix>
//
// where `client` is the page's number among the worker's clients, and `seconds` the deadline of a request, 0 for none.
// A lock ends with its page, however that ends, and is held while Python is busy. Python keeps the deadline and decides
// whose requests it answers; this worker tells Python what it sees of a request, and answers itself where Python
// cannot, because something keeps its page busy. A cache remembers the prefixes, so that a page whose Python is not
// there yet gets a 503 and not the file that the server has at that address.
//
// A worker that imports this one and answers other requests itself names its prefixes before the import. Requests that
// begin with none of them are not touched.
//
//     self.UNPANIC_PREFIXES = ["/bank/"];
//     importScripts("unpanic-service-worker.js");

/**
 * @typedef {{ id: string, postMessage(message: unknown, transfer?: Transferable[]): void }} Client
 * @typedef {{ get(id: string): Promise<Client | undefined>, claim(): Promise<void> }} Clients
 * @typedef {ExtendableEvent & { request: Request, clientId: string, respondWith(answer: Promise<Response>): void }}
 *   FetchEvent
 * @typedef {Event & { waitUntil(work: Promise<unknown>): void }} ExtendableEvent
 * @typedef {ExtendableEvent & { data: any, origin: string, source: Client, ports: MessagePort[] }}
 * ExtendableMessageEvent
 * @typedef {{
 *   UNPANIC_PREFIXES?: string[],
 *   clients: Clients,
 *   skipWaiting(): Promise<void>,
 *   addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void,
 *   addEventListener(type: "message", listener: (event: ExtendableMessageEvent) => void): void,
 * }} WorkerScope
 * @typedef {{ lock: string, client: string, since: number, seconds: number, prefix: string }} Server
 */

// @ts-expect-error The build puts the package's version here.
const version = VERSION;
const NAME = "unpanic-service";
// How long after the deadline Python may still say so itself, in milliseconds; and the longest time that a timer takes.
const GRACE = 250;
const LONGEST = 2 ** 31 - 1;
const worker = /** @type {WorkerScope} */ (/** @type {unknown} */ (self));

/** @type {Set<string> | undefined} All prefixes, once they are known. */
let prefixes;
if (worker.UNPANIC_PREFIXES) prefixes = new Set(worker.UNPANIC_PREFIXES);
const remembered = prefixes ? Promise.resolve(prefixes) : remember();

async function remember() {
  const cached = await (await caches.open(NAME)).keys();
  const paths = cached.map(({ url }) => new URL(url).pathname);
  return (prefixes = new Set([...paths, ...(await servers()).map(({ prefix }) => prefix)]));
}

/** @returns {Promise<Server[]>} All that serve now. */
async function servers() {
  const { held = [] } = await navigator.locks.query();
  const names = held.map(({ name = "" }) => name).filter((name) => name.startsWith(`${NAME} `));
  return names.map((lock) => {
    const [, client, since, seconds, prefix] = lock.split(" ");
    return { lock, client, since: Number(since), seconds: Number(seconds), prefix };
  });
}

/** @param {Set<string>} known @param {string} path */
function longest(known, path) {
  const fitting = [...known].filter((prefix) => path.startsWith(prefix));
  return fitting.sort((a, b) => b.length - a.length)[0];
}

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (prefixes) {
    const prefix = longest(prefixes, pathname);
    if (prefix) event.respondWith(answer(event, prefix));
    return;
  }
  // The worker has just been started: it must take the request before it can know whose it is.
  if (request.cache === "only-if-cached") return;
  event.respondWith(
    remembered.then((known) => {
      const prefix = longest(known, pathname);
      return prefix ? answer(event, prefix) : fetch(request);
    }),
  );
});

worker.addEventListener("message", (event) => {
  const { data, source, ports, origin } = event;
  if (data?.unpanic && origin === location.origin)
    event.waitUntil(verbs[/** @type {keyof typeof verbs} */ (data.unpanic)]?.(data, source, ports[0]));
});

/** The verbs by which Python asks for something. */
const verbs = {
  /** @param {{ prefix: string }} data @param {Client} source @param {MessagePort} port */
  async serve({ prefix }, source, port) {
    await (await caches.open(NAME)).put(prefix, new Response());
    (await remembered).add(prefix);
    await worker.clients.claim(); // the first visit, and one that was reloaded past the worker
    port.postMessage({ version, client: source.id });
  },

  /** @param {{ prefix: string, lock: string }} data @param {Client} _ @param {MessagePort} port */
  async forget({ prefix, lock }, _, port) {
    const others = (await servers()).some((server) => server.prefix === prefix && server.lock !== lock);
    if (!others) {
      await (await caches.open(NAME)).delete(prefix);
      (await remembered).delete(prefix);
    }
    port.postMessage({});
  },

  activate: () => worker.skipWaiting(),
};

/** @param {FetchEvent} event @param {string} prefix @returns {Promise<Response>} */
async function answer(event, prefix) {
  const time = Date.now();
  const able = (await servers()).filter((server) => server.prefix === prefix);
  const isAsking = (/** @type {Server} */ { client }) => Number(client === event.clientId);
  able.sort((a, b) => isAsking(b) - isAsking(a) || b.since - a.since);
  for (const server of able) {
    const response = await ask(event, server, time);
    if (response) return response;
  }
  return unavailable(`Nothing serves ${prefix} now: the page's Python is not there, or not there yet.`);
}

/** @param {number} status @param {string} title @param {string} detail @param {Record<string, string>} [headers] */
function problem(status, title, detail, headers) {
  const body = JSON.stringify({ type: "about:blank", title, status, detail });
  return new Response(body, { status, headers: { "content-type": "application/problem+json", ...headers } });
}

/** @param {string} detail */
const unavailable = (detail) => problem(503, "Service Unavailable", detail, { "retry-after": "1" });

/**
 * Hands a request to Python, on a port of its own.
 * @param {FetchEvent} event @param {Server} server @param {number} time when the request came, by `Date.now()`
 * @returns {Promise<Response | undefined>} nothing if the page that serves it is gone
 */
function ask(event, server, time) {
  return new Promise((resolve, reject) => new Exchange(event, server, resolve, reject).begin(time));
}

/**
 * One request and its response.
 *
 * To Python go `chunk` (of the request's body, when it said `read`), `pull` and `abort`; from it come `head` (with
 * the whole body, or none for a stream), `chunk` (when it was told `pull`), `end` and `error`.
 */
class Exchange {
  /**
   * @param {FetchEvent} event @param {Server} server
   * @param {(response: Response | undefined) => void} resolve @param {(reason: unknown) => void} reject
   */
  constructor(event, server, resolve, reject) {
    this.request = event.request;
    this.server = server;
    this.resolve = resolve;
    this.reject = reject;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.theirPort = port2;
    /** Aborted when the exchange is over. */
    this.watch = new AbortController();
    this.ended = () => {};
    event.waitUntil(/** @type {Promise<void>} */ (new Promise((ended) => (this.ended = ended))));
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.deadline = undefined;
    this.read = reader(this.request);
    /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} of a response that comes in chunks */
    this.stream = undefined;
    this.pulled = () => {};
  }

  /** @param {number} time */
  begin(time) {
    this.setDeadline(time);
    this.port.onmessage = ({ data }) => this.heard(data);
    const { signal } = this.request;
    signal.addEventListener("abort", () => {
      this.abort();
      this.reject(signal.reason);
    });
    worker.clients.get(this.server.client).then((client) => {
      if (this.watch.signal.aborted) return; // this engine asked the page, which was busy
      if (client) return this.send(client, time);
      this.finish();
      this.resolve(undefined);
    });
  }

  finish() {
    clearTimeout(this.deadline);
    this.watch.abort();
    this.port.close();
    this.ended();
  }

  abort() {
    this.port.postMessage({ verb: "abort" });
    this.finish();
  }

  /** @param {number} time */
  setDeadline(time) {
    const { seconds, prefix } = this.server;
    if (!seconds) return;
    const late = `Python did not answer within ${seconds} s: something keeps the page busy that serves ${prefix}.`;
    const left = time + seconds * 1000 + GRACE - Date.now();
    this.deadline = setTimeout(
      () => {
        this.abort();
        this.resolve(problem(504, "Gateway Timeout", late));
      },
      Math.min(left, LONGEST),
    );
  }

  /** @param {Client} client @param {number} time */
  send(client, time) {
    const { lock } = this.server;
    this.watchPage();
    const { method, url, mode, referrer, referrerPolicy, headers } = this.request;
    const body = !["GET", "HEAD"].includes(method);
    const facts = { method, url, mode, referrer, referrerPolicy, headers: [...headers], body };
    client.postMessage({ unpanic: lock, asked: time, ...facts }, [this.theirPort]);
  }

  /** Answers when the page that serves is gone: its lock is granted then. */
  watchPage() {
    const { lock, prefix } = this.server;
    navigator.locks
      .request(lock, { mode: "shared", signal: this.watch.signal }, () => {
        this.finish();
        this.stream?.error(new TypeError("The page that sent this is gone."));
        this.resolve(unavailable(`The page that served ${prefix} is gone.`));
      })
      .catch(() => {});
  }

  /** @param {any} message from Python */
  async heard(message) {
    if (message.verb === "read") {
      this.port.postMessage({ verb: "chunk", ...(await this.read()) });
    } else if (message.verb === "head") {
      this.respond(message);
    } else if (message.verb === "chunk") {
      this.stream?.enqueue(message.value);
      this.pulled();
    } else {
      if (message.verb === "end") this.stream?.close();
      else this.stream?.error(new TypeError(message.message));
      this.finish();
    }
  }

  /** @param {{status: number, headers: [string, string][], body: Uint8Array<ArrayBuffer> | null}} head */
  respond({ status, headers, body }) {
    clearTimeout(this.deadline);
    try {
      this.resolve(new Response(body ? (body.length ? body : null) : this.streamed(), { status, headers }));
      if (body) this.finish();
    } catch (error) {
      this.abort();
      this.resolve(problem(500, "Internal Server Error", `The browser refuses this response: ${error}`));
    }
  }

  /** The body of a response that comes in chunks. */
  streamed() {
    return new ReadableStream(
      {
        start: (controller) => {
          this.stream = controller;
        },
        pull: () => {
          this.port.postMessage({ verb: "pull" });
          return /** @type {Promise<void>} */ (new Promise((pulled) => (this.pulled = pulled)));
        },
        cancel: () => this.abort(),
      },
      { highWaterMark: 0 },
    );
  }
}

/**
 * A function that gives the next chunk of a request's body; null at its end.
 * @param {Request} request
 */
function reader(request) {
  /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
  let chunks;
  return async () => {
    try {
      // Some engines give no stream. Then the whole body is one chunk.
      chunks ??= (request.body ?? new Response(await request.arrayBuffer()).body)?.getReader();
      return { value: (await chunks?.read())?.value ?? null };
    } catch (error) {
      return { error: String(error) };
    }
  };
}
