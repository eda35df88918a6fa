// What a page does about the time without a network: it registers the worker, and says when all is kept.

/** The service worker's address, relative to the page. */
export const worker = "offline.js";

/** Keeps what the page named `page` needs, and says so in `status`. A browser that refuses loses nothing else. */
export async function keepOffline(page, status) {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register(worker);
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answered = new Promise((resolve) => (port1.onmessage = resolve));
    active.postMessage({ keep: page }, [port2]);
    const { data } = await answered;
    if (data === "kept") status.textContent = "Works offline";
  } catch {
    // Private windows and full disks: the page needs its server then.
  }
}
