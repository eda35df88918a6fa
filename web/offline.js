// The service worker: keeps the site, so that it works without a network. The build writes above this line
// `site`: its version, a hash of all files, and which files each page needs.
//
// The first visit fills the cache behind the page's back. A new version fills a cache of its own and takes over when no
// page of the old one is open any more, so a page never gets files of two versions.

const PREFIX = "unpanic-site-";
const CACHE = PREFIX + site.version;

/** Brings what is missing of these files into the cache. */
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
  // The page that registered this worker goes on with it, without a reload.
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

// A page says which page it is, and hears when all that it needs is kept.
addEventListener("message", (event) => {
  if (!event.data.keep) return; // unpanic's
  const [port] = event.ports;
  const kept = keep(site.files[event.data.keep] ?? []);
  event.waitUntil(
    kept.then(
      () => port.postMessage("kept"),
      (error) => port.postMessage(String(error)),
    ),
  );
});
