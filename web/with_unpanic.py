"""The half of the page with unpanic: loads the bank, lets the teller call it, and says what happened.

JavaScript gets JSON, so that neither language has to free an object of the other.
"""

import json
import time
import traceback

import editor
import unpanic
from unpanic import service

# The build to load and the option `recovery`, for each position of the switch.
STRATEGIES = {"none": ("abort", "none"), "reset": ("abort", "reset"), "unwind": ("unwind", "auto")}
RUST_FILE = "src/lib.rs"
OWNERS = ("ada", "bob")
# How far back the page's timeline goes.
SECONDS_SHOWN = 35


class Desk:
    """A bank and its teller.

    Args:
        banks: the addresses of its builds, as JSON.
        rust: its Rust source, for tracebacks.
    """

    def __init__(self, banks, rust):
        self.banks = json.loads(banks)
        self.teller = editor.Teller()
        self.bank = None
        # The records of the banks that were loaded before this one.
        self.past, self.survived, self.recovery_ms = [], 0, None
        editor.remember(RUST_FILE, rust)

    async def open(self, strategy, source):
        """Loads the bank in place of the previous one, and lets the teller begin."""
        self._leave()
        build, recovery = STRATEGIES[strategy]
        self.bank = await unpanic.load(self.banks[build], recovery=recovery, panic_hook=quiet)
        unpanic.on_reset(self.bank, self._begin)
        outcome = self.run(source)
        self._begin()
        return outcome

    def _leave(self):
        if self.bank is None:
            return
        self.past.append(unpanic.timeline(self.bank))
        self.survived += self._survived()
        self.recovery_ms = self._median_recovery()
        unpanic.unload(self.bank)

    def _begin(self, *_):
        """Runs the teller's morning(), if there is one. Without it the bank has no accounts."""
        begin = self.teller.names.get("morning")
        if callable(begin):
            begin()

    def _survived(self):
        status = unpanic.status(self.bank)
        return 0 if status.recovery == "none" else sum(status.crashes.values())

    async def serve(self, prefix, worker):
        """Answers requests of the page: each request calls a function of the teller.

        Raises:
            ServiceError: the browser offers no service worker here.
        """
        router = service.Router()

        @router.get("/{name}")
        async def do(_, name):
            return {"result": await self.teller.call(name)}

        await service.serve(prefix, router, worker=worker)

    def run(self, source):
        """Runs a source from the editor."""
        try:
            return json.dumps({"functions": self.teller.run(source)})
        except SyntaxError as error:
            return json.dumps({"syntax": editor.syntax_error(error)})
        except Exception as error:
            return json.dumps({"failure": failure(error)})

    async def call(self, name):
        """Calls a function of the teller, and returns the outcome as JSON."""
        began, generation = time.perf_counter(), unpanic.status(self.bank).generation
        try:
            outcome = {"result": shorten(repr(await self.teller.call(name)))}
        except Exception as error:
            outcome = {"failure": failure(error), "recovery": self._recovery(error)}
        milliseconds = (time.perf_counter() - began) * 1000
        return json.dumps({"generation": generation, "milliseconds": milliseconds, **outcome})

    def _recovery(self, error):
        """Returns in a few words how the bank recovered, or None if there was no crash."""
        if not isinstance(error, unpanic.Crash):
            return None
        status = unpanic.status(self.bank)
        if status.phase == "terminated":
            return {"ended": True, "text": "the module has ended: recovery is off"}
        if error.state_kept:
            return {"ended": False, "text": "unwound: same generation, its state is kept"}
        before, after = unpanic.timeline(self.bank).generations[-2:]
        took = f"generation {after.name} in {(after.began - before.ended) * 1000:.1f} ms"
        filled = (
            "morning() opened the accounts again" if "morning" in self.teller.names else "no morning() to refill it"
        )
        return {"ended": False, "text": f"recovered: {took}; state lost; {filled}"}

    def _median_recovery(self):
        return unpanic.status(self.bank).timings.get("recovery", self.recovery_ms)

    def state(self):
        """Returns everything that the page shows of the bank, as JSON."""
        status = unpanic.status(self.bank)
        return json.dumps(
            {
                "phase": status.phase,
                "generation": status.generation,
                "in_flight": status.in_flight,
                "survived": self.survived + self._survived(),
                "recovery_ms": self._median_recovery(),
                "accounts": [[owner, self._balance(owner)] for owner in OWNERS],
                "timelines": self._timelines(),
            }
        )

    def _balance(self, owner):
        try:
            return self.bank.balance_of(owner)
        except unpanic.UnpanicError:
            return None

    def _timelines(self):
        """Returns the recent timelines, with times in seconds before now."""
        now = time.perf_counter()
        self.past = [timeline for timeline in self.past if now - timeline.ended < SECONDS_SHOWN]
        return [plain(timeline, now) for timeline in (*self.past, unpanic.timeline(self.bank))]


def quiet(_panic):
    """Does nothing. Without a hook each panic would be logged, and the page shows it anyway."""


def plain(timeline, now):
    """Returns a timeline as plain values, without the events that ended long ago."""

    def recent(items):
        return [item for item in items if item.ended is None or now - item.ended < SECONDS_SHOWN]

    def times(item):
        return {"began": item.began - now, "ended": None if item.ended is None else item.ended - now}

    return {
        "ended": timeline.ended - now,
        "generations": [{"name": span.name, **times(span)} for span in recent(timeline.generations)],
        "calls": [{"name": span.name, "how": span.how, **times(span)} for span in recent(timeline.calls)],
        "bursts": [{"calls": burst.calls, **times(burst)} for burst in recent(timeline.bursts)],
        "crashes": [
            {"at": crash.at - now, "kind": crash.kind, "call": crash.call}
            for crash in timeline.crashes
            if now - crash.at < SECONDS_SHOWN
        ],
    }


def failure(error):
    """Returns an exception as the page shows it."""
    return {
        "type": type(error).__name__,
        "message": message(error),
        "is_crash": isinstance(error, unpanic.Crash),
        "traceback": "".join(traceback.format_exception(type(error), error, from_teller(error.__traceback__))),
        **rust_place(error),
    }


def message(error):
    """Returns the message of an exception, without the parts that the page shows elsewhere."""
    if isinstance(error, unpanic.CallInterrupted) and error.crash:
        return f"by the {type(error.crash).__name__} in bank.{error.crash.call}"
    return shorten(getattr(error, "message", "") or str(error))


def from_teller(entry):
    """Returns the traceback from the teller's own line on, or all of it if no line is the teller's."""
    own = entry
    while own is not None and own.tb_frame.f_code.co_filename != editor.FILE:
        own = own.tb_next
    return own or entry


def rust_place(error):
    """Returns the line of a panic, or else the name of the function that ran: overflows and traps have no line."""
    crash = error.crash if isinstance(error, unpanic.CallInterrupted) else error
    location = getattr(crash, "location", None)
    own = (frame.function for frame in getattr(crash, "frames", ()) if frame.function.startswith("bank::"))
    function = next(own, "").split("::")[1:2]
    return {"line": location.line if location else None, "function": function[0] if function else None}


def shorten(text, most=160):
    """Returns the first line of a text, cut."""
    line = text.partition("\n")[0]
    return line if len(line) <= most else line[:most] + " …"
