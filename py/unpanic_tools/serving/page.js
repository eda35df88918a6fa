// `unpanic serve` and `unpanic dev` add this script to each page. A page that wants to take a change itself listens for
// "unpanic-change", and cancels the event.
{
  const script = document.currentScript.src;

  /** Brings a new wheel into the Pyodide that the page has as `globalThis.pyodide`. */
  const renew = async ({ wheel }) => {
    const pyodide = globalThis.pyodide;
    if (!pyodide) return location.reload();
    const [source, bytes] = await Promise.all([
      fetch(new URL("renew.py", script)).then((response) => response.text()),
      fetch(wheel, { cache: "no-store" }).then((response) => response.arrayBuffer()),
    ]);
    const place = "/tmp/unpanic-renewed.whl";
    pyodide.FS.writeFile(place, new Uint8Array(bytes));
    const names = pyodide.toPy({ __name__: "unpanic_renew" });
    await pyodide.runPythonAsync(source, { globals: names, filename: "renew.py" });
    const modules = await names.get("renew")(place);
    console.info(`unpanic: ${modules.toJs().join(", ") || "the package"} began anew`);
    dispatchEvent(new CustomEvent("unpanic-renewed"));
  };

  let notice;

  /** Shows over the page why a build failed, until one works; no text takes the notice away. */
  const show = (text = "") => {
    notice?.remove();
    if (!text) return;
    notice = document.createElement("unpanic-notice");
    notice.role = "alert";
    notice.style = "position: fixed; inset: auto 0 0; z-index: 2147483647; max-height: 60%; overflow: auto;";
    const box = document.createElement("pre");
    box.style =
      "margin: 0; padding: 1em; background: #300; color: #fff; font: 14px/1.4 monospace; white-space: pre-wrap";
    box.textContent = text;
    // The page's own style sheets do not reach in there.
    notice.attachShadow({ mode: "open" }).append(box);
    document.documentElement.append(notice);
  };

  const take = (change) => {
    const event = new CustomEvent("unpanic-change", { detail: change, cancelable: true });
    if (!dispatchEvent(event)) return;
    if (change.kind === "reload") return location.reload();
    const failure = change.kind === "failed" ? `${change.output}\n\nunpanic: ${change.problem}`.trim() : "";
    if (failure) console.warn(failure);
    show(failure);
    if (change.kind === "module")
      renew(change).catch((error) => {
        console.error(`unpanic: the page loads anew, because the new module could not be brought in: ${error}`);
        location.reload();
      });
  };

  const source = new EventSource(new URL("changes", script));
  let wasOpen = false;
  source.onopen = () => {
    // The server was started again: what changed meanwhile is not known.
    if (wasOpen) location.reload();
    wasOpen = true;
  };
  source.onmessage = ({ data }) => take(JSON.parse(data));
}
