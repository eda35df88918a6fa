// The service worker: it keeps the site, so that the site works without a network. Above this line the build writes
// `site`: the version of the site (a hash of all files) and the files that each page needs.
//
// The first visit fills the cache in the background. A new version fills a cache of its own, and takes over when no
// page of the old version is open any more. A page therefore never gets files of two versions.

const PREFIX = "unpanic-site-";
const CACHE = PREFIX + site.version;

/** Puts those of these files into the cache that are missing there. */
async function keep(files) {
  const cache = await caches.open(CACHE);
  const missing = [];
  for (const file of files) if (!(await cache.match(file))) missing.push(new Request(file, { cache: "no-cache" }));
  await cache.addAll(missing);
}

async function deleteOldCaches() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  // The page that registered this worker uses it from now on, without a reload.
  await clients.claim();
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  const file = request.url.replace(/[?#].*$/, "").replace(/\/$/, "/index.html");
  return (await cache.match(file)) ?? fetch(request);
}

addEventListener("install", (event) => event.waitUntil(keep(site.files.bank)));
addEventListener("activate", (event) => event.waitUntil(deleteOldCaches()));

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(registration.scope)) event.respondWith(answer(request));
});

// A page sends its name, and gets an answer when all files that it needs are kept.
addEventListener("message", (event) => {
  if (!event.data.keep) return; // a message for unpanic's own worker
  const [port] = event.ports;
  const kept = keep(site.files[event.data.keep] ?? []);
  event.waitUntil(
    kept.then(
      () => port.postMessage("kept"),
      (error) => port.postMessage(String(error)),
    ),
  );
});
