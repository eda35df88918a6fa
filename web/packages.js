// The second page: packages from npm, inputs that kill them, and the next call.

import { files, startPython } from "./boot.js";
import { element } from "./dom.js";
import { keepOffline } from "./offline_page.js";

const DEEP = 20_000;
const nested = (depth) => "(".repeat(depth) + "1" + ")".repeat(depth);

const PACKAGES = [
  {
    name: "sql",
    title: "Format SQL",
    verb: "Format",
    package: "@guanmingchiu/sqlparser-ts",
    good:
      "select u.name,count(*) as orders from users u join orders o on o.user_id=u.id where o.total>100 group by " +
      "u.name order by orders desc limit 10",
    bad: () => `select ${nested(DEEP)}`,
    why: `a query nested ${DEEP.toLocaleString("en")} deep`,
  },
  {
    name: "svg",
    title: "Render SVG",
    verb: "Render",
    package: "@resvg/resvg-wasm",
    good: `<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120" viewBox="0 0 240 120">
  <rect width="240" height="120" rx="14" fill="#1f5fbf"/>
  <path d="M20 64h44l20-40 34 76 22-52 12 16h68" fill="none"
        stroke="#fff" stroke-width="9"
        stroke-linecap="round" stroke-linejoin="round"/>
</svg>`,
    bad: () => `<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000">
  <rect width="9" height="9" fill="red"/>
</svg>`,
    why: "a picture of 30,000 by 30,000 pixels",
  },
  {
    name: "python",
    title: "Lint Python",
    verb: "Lint",
    package: "@astral-sh/ruff-wasm-web",
    good: `import os, sys

def total(items, seen=[]):
    result = None
    for item in items:
        if item in seen == True:
            print("seen: %s" % item)
    return amount
`,
    bad: () => nested(DEEP),
    why: `an expression nested ${DEEP.toLocaleString("en")} deep`,
  },
];

const state = document.querySelector("#state");
const python = startPython(["packages.py"]).then((pyodide) => pyodide.pyimport("packages"));

document.querySelector("#packages").append(...PACKAGES.map(card));
python.then(
  () => {
    say("good", "ready");
    return keepOffline("packages", document.querySelector("#offline"));
  },
  (error) => say("bad", `did not start: ${String(error).slice(0, 200)}`),
);

function say(kind, text) {
  state.textContent = text;
  state.className = `pill ${kind}`;
}

/** One package: its input, its buttons, and the result. */
function card(entry) {
  const id = (part) => `${entry.name}-${part}`;
  const input = element("textarea", { id: id("input"), spellcheck: false, autocapitalize: "off", value: entry.good });
  const output = element(
    "div",
    {
      className: "output",
      id: id("output"),
      role: "region",
      aria: { live: "polite", label: `Result of ${entry.title}` },
    },
    element("p", { className: "hint" }, "Not loaded yet. The first call loads it."),
  );
  const status = element("p", { className: "pill", id: id("state"), role: "status" }, "not loaded");
  const use = () => run(entry, input.value, output, status, panel);
  const button = (part, className, label, pressed) => {
    const one = element("button", { type: "button", className, id: id(part) }, label);
    one.addEventListener("click", pressed);
    return one;
  };
  const give = (text) => {
    input.value = text;
    use();
  };
  const buttons = element(
    "div",
    { className: "buttons" },
    button("run", "small primary", entry.verb, use),
    button("good", "small", "Run a good input", () => give(entry.good)),
    button("bad", "small kills", "Run the input that kills it", () => give(entry.bad())),
  );
  const panel = element(
    "section",
    { className: "panel package", id: entry.name, aria: { labelledby: id("title") } },
    element("div", { className: "head" }, element("h2", { id: id("title") }, entry.title), status),
    element("p", { className: "hint" }, element("code", {}, entry.package), ` dies of ${entry.why}.`),
    element("label", { htmlFor: id("input") }, "Input"),
    input,
    buttons,
    element("h3", {}, "Result"),
    output,
  );
  return panel;
}

async function run({ name, package: title }, text, output, status, card) {
  card.setAttribute("aria-busy", "true");
  try {
    const { packages } = await files;
    const { bytes, ...places } = packages[name];
    if (status.textContent === "not loaded") {
      status.textContent = "loading";
      output.replaceChildren(element("p", { className: "hint" }, `Loading ${title}, ${(bytes / 1e6).toFixed(1)} MB …`));
    }
    const module = await python;
    await module.load(name, JSON.stringify(places));
    show(JSON.parse(module.use(name, text)), title, output, status);
  } catch (error) {
    output.replaceChildren(element("p", { className: "problem" }, String(error).slice(0, 300)));
  }
  card.removeAttribute("aria-busy");
}

function show({ failure, text, png, rows, ...outcome }, title, output, status) {
  const parts = [];
  if (failure) parts.push(...exception(failure, title));
  if (png) parts.push(picture(png, text));
  else if (text) parts.push(element("pre", { tabIndex: 0, role: "region", aria: { label: `Text: ${title}` } }, text));
  if (rows) parts.push(table(rows));
  parts.push(element("p", { className: "hint" }, facts(failure, outcome)));
  output.replaceChildren(...parts);
  const ended = outcome.phase === "terminated";
  status.textContent = ended
    ? "ended"
    : outcome.crashes
      ? `generation ${outcome.next}, ${outcome.crashes} survived`
      : `generation ${outcome.next}`;
  status.className = `pill ${ended ? "bad" : "good"}`;
}

function exception({ type, message, traceback }, title) {
  return [
    element("p", { className: "problem" }, `${type}: ${message}`),
    element(
      "details",
      { open: true },
      element("summary", {}, "Traceback"),
      element(
        "pre",
        { className: "traceback", tabIndex: 0, role: "region", aria: { label: `Traceback: ${title}` } },
        traceback,
      ),
    ),
  ];
}

function facts(failure, { generation, next, phase, milliseconds, recovery_ms: recovery }) {
  const took = `Generation ${generation}, ${milliseconds.toFixed(0)} ms.`;
  if (!failure?.is_crash || phase !== "ready") return took;
  const after = recovery === null ? "" : ` in ${recovery.toFixed(1)} ms (median)`;
  const outcome =
    next === generation ? `The call was rolled back${after}` : `Generation ${next} was made${after}, without the state`;
  return `${took} ${outcome}: call the package again.`;
}

function picture(bytes, size) {
  const src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
  const image = element("img", { src, alt: `The rendered picture, ${size}` });
  image.addEventListener("load", () => URL.revokeObjectURL(src), { once: true });
  return element("figure", {}, image, element("figcaption", { className: "hint" }, size));
}

function table(rows) {
  if (!rows.length) return element("p", {}, "Nothing to complain about.");
  const head = element("tr", {}, ...["Place", "Rule", "Message"].map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  const rowsTable = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", aria: { label: "What ruff found" } },
    rowsTable,
  );
}
