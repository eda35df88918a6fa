// The first script of every page where WebDriver drives the browser (tests/webkit.py): WebDriver tells neither of
// uncaught errors nor of the console.

{
  let notes = [];

  const note = (event, text) => notes.push({ event, text });

  // Not every engine begins the stack with the message.
  const describe = (error) => {
    const stack = `${error?.stack ?? ""}`;
    return stack.startsWith(`${error}`) ? stack : `${error}\n${stack}`;
  };

  for (const name of ["debug", "log", "info", "warn", "error"]) {
    const original = console[name];
    console[name] = (...values) => {
      note("console", values.map(String).join(" "));
      original.apply(console, values);
    };
  }

  addEventListener("error", ({ error, message }) => note("error", error ? describe(error) : message));
  addEventListener("unhandledrejection", ({ reason }) => note("error", describe(reason)));

  /** Returns what happened since the last time. */
  globalThis.takeNotes = () => {
    const taken = notes;
    notes = [];
    return taken;
  };
}
