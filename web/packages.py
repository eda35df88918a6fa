"""The Python part of the second page: three packages from npm, each called as its documentation says."""

import json
import time
import traceback

import unpanic

modules = {}


def format_sql(sqlparser, text):
    """Returns the SQL, formatted."""
    # Without this option the parser refuses a query that is nested more than 50 deep.
    sqlparser.parse_sql_with_options("generic", text, {"recursionLimit": 1_000_000, "recursion_limit": 1_000_000})
    return {"text": sqlparser.format_sql("generic", text)}


def render_svg(resvg, text):
    """Returns the picture and its size."""
    picture = resvg.Resvg(text).render()
    return {"png": list(bytes(picture.as_png())), "text": f"{picture.width} by {picture.height} pixels"}


def lint_python(ruff, text):
    """Returns what ruff reports."""
    workspace = ruff.Workspace({"lint": {"select": ["E", "F", "B", "UP", "SIM"]}}, ruff.PositionEncoding.Utf16)
    diagnostics = workspace.check(text)
    return {"rows": [[place(each["start_location"]), each["code"] or "", each["message"]] for each in diagnostics]}


def place(location):
    """Returns a place as `line:column`."""
    return f"{location['row']}:{location['column']}"


USES = {"sql": format_sql, "svg": render_svg, "python": lint_python}


async def load(name, places):
    """Loads a package, unless it is loaded. `places` is JSON: the options of `unpanic.load`."""
    if name not in modules:
        modules[name] = await unpanic.load(**json.loads(places), panic_hook=quiet)


def quiet(_panic):
    """Does nothing. Without a hook each panic would be logged, and the page shows it anyway."""


def use(name, text):
    """Gives a text to a package, and returns the outcome as JSON."""
    module = modules[name]
    generation, began = unpanic.status(module).generation, time.perf_counter()
    try:
        outcome = USES[name](module, text)
    except Exception as error:
        outcome = {"failure": failure(error)}
    milliseconds = (time.perf_counter() - began) * 1000
    status = unpanic.status(module)
    return json.dumps({
        **outcome,
        "generation": generation,
        "next": status.generation,
        "phase": status.phase,
        "crashes": sum(status.crashes.values()),
        "milliseconds": milliseconds,
        "recovery_ms": status.timings.get("recovery"),
    })  # fmt: skip


def failure(error):
    """Returns an exception as the page shows it. The input may be long, so the text is cut."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return {
        "type": type(error).__name__,
        "message": shorten(getattr(error, "message", "") or str(error)),
        "is_crash": isinstance(error, unpanic.Crash),
        "traceback": "\n".join(shorten(line) for line in lines),
    }


def shorten(text, most=200):
    """Returns the first line of a text, cut."""
    line = text.partition("\n")[0]
    return line if len(line) <= most else line[:most] + " …"
