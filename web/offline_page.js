// Prepares a page for the time without a network: registers the worker, and says when all files are kept.

/** The service worker's address, relative to the page. */
export const worker = "offline.js";

/**
 * Keeps the files that the page named `page` needs, and says so in `status`. If the browser refuses, everything else
 * still works.
 */
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
    // In a private window or on a full disk, the page needs its server.
  }
}
