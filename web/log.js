// The log of events: the newest line is in sight, and screen readers read it out.

import { element } from "./dom.js";

const MOST_LINES = 200;

export class Log {
  constructor(region) {
    this.region = region;
    this.list = region.querySelector("ol");
    new ResizeObserver(() => this.toEnd()).observe(region);
  }

  /**
   * Adds a line.
   *
   * @param {"good"|"crash"|"interrupted"|"recovered"|"note"} kind
   * @param {string} subject what was called
   * @param {string} outcome the result of the call
   */
  add(kind, subject, outcome = "", tag = "") {
    const cells = [
      ["tag", tag],
      ["subject", subject],
      ["outcome", outcome],
    ].filter(([, text]) => text);
    // The spaces make a copied line readable.
    const line = element(
      "li",
      { className: kind },
      ...cells.flatMap(([className, text]) => [element("span", { className }, text), " "]),
    );
    this.list.append(line);
    while (this.list.childElementCount > MOST_LINES) this.list.firstElementChild.remove();
    this.toEnd();
    return line;
  }

  toEnd() {
    this.region.scrollTop = this.region.scrollHeight;
  }
}

/** Shows the balance of each account, and after them more facts about the bank. */
export function showAccounts(list, accounts, ...facts) {
  const known = accounts.map(([owner, balance]) => [owner, balance === null ? "?" : balance.toLocaleString("en")]);
  const rows = [...known, ...facts].map(([term, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, String(value))),
  );
  list.replaceChildren(...rows);
}
