// Draws the last half minute of the modules: generations, crashes, calls, and the calls and requests in flight.

import { element, shape } from "./dom.js";

// The longest and the shortest time that the picture shows.
const SECONDS = 30;
const FEWEST = 5;
const LEFT = 88;
const RIGHT = 10;
const TRACKS = 6;
const TRACK = 11;
// The generations of each module have a lane, which has the name of the module.
const ROWS = { bank: 10, loops: 27, crashes: 46, calls: 65, "in flight": 86 };
const BAR = 15;
const AXIS = 24;
const KINDS = {
  panic: "panic",
  stack_overflow: "stack overflow",
  out_of_memory: "out of memory",
  trap: "trap",
  foreign: "exception",
  timeout: "timeout",
};
const ENDS = {
  "": "in flight",
  returned: "returned",
  interrupted: "interrupted",
  failed: "failed",
  cancelled: "cancelled",
};

/** Shows what the marks mean. */
export function legend(list) {
  const bar = shape("rect", { class: "generation", x: -6, y: -6, width: 12, height: 12, rx: 2 });
  const marks = { crash: "crash", returned: "returned", interrupted: "interrupted", "": "in flight" };
  list.replaceChildren(
    element("li", {}, shape("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14 }, bar), "generation"),
    ...Object.entries(marks).map(([how, name]) =>
      element("li", {}, shape("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14 }, mark(how)), name),
    ),
  );
}

/** A picture that moves with time. It draws only the events that `update` and `request` gave it. */
export class Timeline {
  constructor(place) {
    this.place = place;
    this.timelines = [];
    this.requests = [];
    this.at = performance.now();
    this.width = 0;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(([{ contentRect }]) => {
      this.width = Math.round(contentRect.width);
      this.draw();
    }).observe(place);
    setInterval(() => this.still.matches || document.hidden || this.draw(), 200);
  }

  /** Takes the timelines from Python; their times are seconds before now. */
  update(timelines) {
    this.timelines = timelines;
    this.at = performance.now();
    this.draw();
  }

  /** Notes a request that has just been sent; `end` says how it ended. */
  request(name) {
    const request = { name, sent: performance.now(), answered: null, how: "" };
    this.requests = [...this.requests, request].filter(
      ({ answered }) => answered === null || performance.now() - answered < SECONDS * 1000,
    );
    return {
      end(how) {
        request.answered = performance.now();
        request.how = how;
      },
    };
  }

  /** Calls and requests, as Python gives them: with times in seconds before `this.at`. */
  waiting() {
    const since = (time) => (time === null ? null : (time - this.at) / 1000);
    const requests = this.requests.map(({ name, sent, answered, how }) => ({
      name,
      how,
      began: since(sent),
      ended: since(answered),
    }));
    return [...this.timelines.flatMap(({ calls }) => calls), ...requests].sort((one, other) => one.began - other.began);
  }

  /** The number of seconds that the picture shows. It begins at the first event, unless that is too long ago. */
  get seconds() {
    const events = this.timelines.flatMap(({ generations, calls, bursts }) => [...generations, ...calls, ...bursts]);
    const first = Math.min(0, ...events.map(({ began }) => began));
    return Math.min(SECONDS, Math.max(FEWEST, (performance.now() - this.at) / 1000 - first));
  }

  /** Returns the place of a moment that was `seconds` from now at the time `this.at`. */
  x(seconds) {
    const before = Math.min(this.shown, (performance.now() - this.at) / 1000 - seconds);
    return LEFT + (1 - Math.max(0, before) / this.shown) * (this.width - LEFT - RIGHT);
  }

  /** Returns the left edge and the width of a period, or nothing if the period ended too long ago. */
  span({ began, ended }) {
    const now = (performance.now() - this.at) / 1000;
    if (now - (ended ?? now) > SECONDS) return null;
    const left = this.x(began);
    return { left, width: Math.max(2, (ended === null ? this.width - RIGHT : this.x(ended)) - left) };
  }

  draw() {
    if (!this.width) return;
    this.shown = this.seconds;
    const picture = shape("svg", { role: "img", "aria-label": this.summary() });
    for (const [name, y] of Object.entries(ROWS)) picture.append(text(LEFT - 10, y + 4, name, "end"));
    for (const timeline of this.timelines) {
      for (const generation of timeline.generations) this.generation(picture, timeline, generation);
      for (const burst of timeline.bursts) this.burst(picture, burst);
      for (const crash of timeline.crashes) this.crash(picture, crash);
    }
    const height = ROWS["in flight"] + Math.max(1, this.inFlight(picture)) * TRACK + AXIS;
    this.axis(picture, height - 19);
    for (const [name, value] of Object.entries({ width: this.width, height, viewBox: `0 0 ${this.width} ${height}` }))
      picture.setAttribute(name, value);
    this.place.replaceChildren(picture);
  }

  axis(picture, y) {
    picture.append(shape("path", { class: "axis", d: `M${LEFT} ${y}H${this.width - RIGHT}` }));
    const step = (this.shown <= 10 ? 1 : 5) * (this.width < 500 ? 2 : 1);
    for (let seconds = 0; seconds <= this.shown; seconds += step) {
      const x = this.width - RIGHT - (seconds / this.shown) * (this.width - LEFT - RIGHT);
      picture.append(shape("path", { class: "axis", d: `M${x} ${y}v4` }));
      picture.append(text(x, y + 15, seconds ? `−${seconds} s` : "now", seconds ? "middle" : "end"));
    }
  }

  generation(picture, { module, ended: last }, { name, began, ended }) {
    const y = ROWS[module];
    // A module that was left for another one ended when its timeline was taken.
    const span = this.span({ began, ended: ended ?? (last < -0.001 ? last : null) });
    if (!span) return;
    const bar = shape("rect", {
      class: "generation",
      x: span.left,
      y: y - BAR / 2,
      width: Math.max(1, span.width - 1.5),
      height: BAR,
      rx: 2,
    });
    picture.append(bar, title(bar, `generation ${name} of ${module}`));
    if (span.width > 9 * name.length + 4) picture.append(text(span.left + span.width / 2, y + 4, name, "middle"));
  }

  burst(picture, burst) {
    const span = this.span(burst);
    if (!span) return;
    const height = Math.min(18, 6 + 2 * burst.calls);
    const bar = shape("rect", {
      class: "burst",
      x: span.left,
      y: ROWS.calls + 9 - height,
      width: Math.max(3, span.width),
      height,
      rx: 1,
    });
    picture.append(bar, title(bar, `${burst.calls} calls`));
  }

  crash(picture, { at, kind, call }) {
    if ((performance.now() - this.at) / 1000 - at > SECONDS) return;
    picture.append(placed(this.x(at), ROWS.crashes, mark("crash"), `${KINDS[kind] ?? kind} in ${call}`));
  }

  /** Draws calls and requests in flight in as few rows as possible, and returns the number of rows. */
  inFlight(picture) {
    const ends = [];
    for (const call of this.waiting()) {
      const span = this.span(call);
      if (!span) continue;
      let track = ends.findIndex((end) => end <= span.left);
      if (track < 0) track = ends.length;
      if (track >= TRACKS) continue;
      ends[track] = span.left + span.width + 8;
      const y = ROWS["in flight"] + track * TRACK;
      picture.append(shape("path", { class: "call", d: `M${span.left} ${y}h${span.width}` }));
      picture.append(placed(span.left + span.width, y, mark(call.how), `${call.name}: ${ENDS[call.how] ?? call.how}`));
    }
    return Math.min(ends.length, TRACKS);
  }

  summary() {
    const count = (list) => this.timelines.flatMap((timeline) => timeline[list]).length;
    const waiting = this.waiting().filter(({ ended }) => ended === null).length;
    return (
      `The last ${SECONDS} seconds: ${count("generations")} generations, ${count("crashes")} crashes, ` +
      `${waiting} calls and requests in flight.`
    );
  }
}

/** A mark at 0, 0; each kind has a shape of its own. */
function mark(how) {
  const shapes = {
    crash: ["path", { d: "M-5-5 5 5M-5 5 5-5" }],
    returned: ["circle", { r: 4 }],
    interrupted: ["path", { d: "M-4-4h8v8h-8z" }],
    failed: ["path", { d: "M-4-4 4 4M-4 4 4-4" }],
    cancelled: ["circle", { r: 3.5 }],
    "": ["path", { d: "M-3-5 5 0-3 5z" }],
  };
  const [tag, attributes] = shapes[how] ?? shapes[""];
  return shape(tag, { class: `mark ${how || "waiting"}`, ...attributes });
}

function placed(x, y, mark, name) {
  const group = shape("g", { transform: `translate(${x} ${y})` }, mark);
  title(mark, name);
  return group;
}

function title(node, name) {
  node.append(shape("title", {}, name));
  return "";
}

function text(x, y, content, anchor) {
  return shape("text", { x, y, "text-anchor": anchor }, content);
}
