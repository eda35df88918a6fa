// Shows an exception as Python does, and the Rust source around the line that raised it.

import { rustLanguage } from "@codemirror/lang-rust";
import { classHighlighter, highlightTree } from "@lezer/highlight";

import { element } from "./dom.js";

const BEFORE = 5;
const AFTER = 4;

/** Shows Python's traceback of a failure. */
export function showTraceback(panel, { traceback }) {
  panel.replaceChildren(scrollable("traceback", "Traceback", traceback.trimEnd()));
}

/** Shows the line of the Rust source where a failure began, if it is known. `place` says it in words. */
export function showRust(panel, place, { file, line, function: name }, rust) {
  const lines = rust.split("\n");
  const marked = line ?? lineOfFunction(lines, name);
  place.textContent = line ? `line ${line}` : marked ? `in fn ${name}` : "not known";
  panel.replaceChildren(...(marked ? [sourceAround(file, rust, lines, marked)] : []));
}

/** Overflows and traps have no line, but the stack has the name of a function. Most often that is a free function. */
function lineOfFunction(lines, name) {
  const free = new RegExp(`^(pub )?(async )?fn ${name}\\b`);
  const any = new RegExp(`\\bfn ${name}\\b`);
  if (!name) return null;
  const place = [free, any].map((pattern) => lines.findIndex((line) => pattern.test(line))).find((row) => row >= 0);
  return place === undefined ? null : place + 1;
}

function sourceAround(file, rust, lines, marked) {
  const first = Math.max(1, marked - BEFORE);
  const last = Math.min(lines.length, marked + AFTER);
  const region = scrollable("source", `${file} around line ${marked}`);
  for (let number = first; number <= last; number++) {
    const from = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
    const line = element(
      "span",
      { className: number === marked ? "line marked" : "line", aria: number === marked ? { current: true } : {} },
      element("span", { className: "number", aria: { hidden: true } }, String(number)),
    );
    line.append(...highlighted(rust, from, from + lines[number - 1].length));
    region.append(line, "\n");
  }
  return region;
}

/** Turns a part of the source into text and coloured spans. */
function highlighted(rust, from, to) {
  const parts = [];
  let done = from;
  const plain = (until) => until > done && parts.push(rust.slice(done, until));
  highlightTree(
    parsed(rust),
    classHighlighter,
    (start, end, className) => {
      plain(start);
      parts.push(element("span", { className }, rust.slice(Math.max(start, from), Math.min(end, to))));
      done = end;
    },
    from,
    to,
  );
  plain(to);
  return parts;
}

let latest = {};

function parsed(rust) {
  if (latest.rust !== rust) latest = { rust, tree: rustLanguage.parser.parse(rust) };
  return latest.tree;
}

/** Makes a box for text that may be wider than the box. The keyboard can scroll it. */
function scrollable(className, label, text = "") {
  return element("pre", { className, tabIndex: 0, role: "region", aria: { label } }, text);
}
