"""The half of the page with unpanic: loads the bank, lets the teller call it, and says what happened.

JavaScript gets JSON, so that neither language has to free an object of the other.
"""

import json
import re
import time
import traceback

import editor
import unpanic
from unpanic import service

# The build to load and the option `recovery`, for each position of the switch.
STRATEGIES = {
    "rollback": ("abort", "rollback"),
    "unwind": ("unwind", "auto"),
    "reset": ("abort", "reset"),
    "none": ("abort", "none"),
}
# Seconds that a call of the module `loops` may compute. The bank has no timeout.
TIMEOUT = 1
# The file of each module that the page shows.
RUST_FILES = {"bank": "src/lib.rs", "loops": "src/shapes.rs"}
OWNERS = ("ada", "bob")
# How far back the page's timeline goes.
SECONDS_SHOWN = 35


class Desk:
    """A bank, a module with endless loops, and the teller who calls both.

    Args:
        addresses: where the builds of `bank` are, and the module `loops`, as JSON.
        rust: the Rust source of each module, as JSON, for tracebacks.
    """

    def __init__(self, addresses, rust):
        self.addresses = json.loads(addresses)
        self.teller = editor.Teller()
        self.bank = self.loops = None
        # The records of the modules that were loaded before these.
        self.past, self.survived, self.recovery_ms = [], 0, None
        for module, source in json.loads(rust).items():
            editor.remember(RUST_FILES[module], source)

    async def open(self, strategy, source):
        """Loads both modules in place of the previous ones, and lets the teller begin."""
        self._leave()
        build, recovery = STRATEGIES[strategy]
        bank = await unpanic.load(self.addresses["bank"][build], recovery=recovery, panic_hook=quiet)
        # `loops` is no build that unwinds; at a timeout such a build resets.
        of_loops = "reset" if recovery == "auto" else recovery
        self.loops = await unpanic.load(self.addresses["loops"], recovery=of_loops, timeout=TIMEOUT)
        self.bank = bank
        unpanic.on_reset(self.bank, self._begin)
        outcome = self.run(source)
        self._begin()
        return outcome

    def _leave(self):
        self.survived += self._survived()
        self.recovery_ms = self._median_recovery()
        for module in self._modules():
            self.past.append(unpanic.timeline(module))
            unpanic.unload(module)

    def _modules(self):
        return [module for module in (self.bank, self.loops) if module is not None]

    def _statuses(self):
        return [unpanic.status(module) for module in self._modules()]

    def _begin(self, *_):
        """Runs the teller's morning(), if there is one. Without it the bank has no accounts."""
        begin = self.teller.names.get("morning")
        if callable(begin):
            begin()

    def _survived(self):
        return sum(sum(status.crashes.values()) for status in self._statuses() if status.recovery != "none")

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
            generation = getattr(error, "generation", generation)
        milliseconds = (time.perf_counter() - began) * 1000
        return json.dumps({"generation": generation, "milliseconds": milliseconds, **outcome})

    def _recovery(self, error):
        """Returns in a few words how the module recovered, or None if there was no crash."""
        if not isinstance(error, unpanic.Crash):
            return None
        module = self.loops if error.module == "loops" else self.bank
        if unpanic.status(module).phase == "terminated":
            return {"ended": True, "text": "the module has ended: recovery is off"}
        if error.recovery == "rollback":
            undone = f"rolled back {about(unpanic.status(module).timings['recovery'])}: same generation"
            kept = "as before loop(); the bank went on" if module is self.loops else "every balance as before the call"
            return {"ended": False, "text": f"{undone}, {kept}"}
        if error.recovery == "unwind":
            return {"ended": False, "text": "unwound: same generation, its state is as the panic left it"}
        before, after = unpanic.timeline(module).generations[-2:]
        took = about((after.began - before.ended) * 1000)
        if module is self.loops:
            return {"ended": False, "text": f"recovered: generation {after.name} of loops {took}; the bank went on"}
        filled = (
            "morning() opened the accounts again" if "morning" in self.teller.names else "no morning() to refill it"
        )
        return {"ended": False, "text": f"recovered: generation {after.name} {took}; state lost; {filled}"}

    def _median_recovery(self):
        """Returns the bank's median; if the bank never crashed, that of `loops` or of the modules before."""
        medians = (status.timings.get("recovery") for status in self._statuses())
        return next((median for median in medians if median is not None), self.recovery_ms)

    def state(self):
        """Returns everything that the page shows of the modules, as JSON."""
        status = unpanic.status(self.bank)
        phases = [status.phase for status in self._statuses()]
        return json.dumps(
            {
                "phase": "terminated" if "terminated" in phases else status.phase,
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
        return [plain(timeline, now) for timeline in (*self.past, *map(unpanic.timeline, self._modules()))]


def quiet(_panic):
    """Does nothing. Without a hook each panic would be logged, and the page shows it anyway."""


def about(milliseconds):
    """Returns a duration in words. A page's clock has steps of 0.1 ms."""
    return f"in {milliseconds:.1f} ms" if milliseconds >= 0.1 else "in less than 0.1 ms"


def plain(timeline, now):
    """Returns a timeline as plain values, without the events that ended long ago."""

    def recent(items):
        return [item for item in items if item.ended is None or now - item.ended < SECONDS_SHOWN]

    def times(item):
        return {"began": item.began - now, "ended": None if item.ended is None else item.ended - now}

    return {
        "module": timeline.name,
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
        return f"by the {type(error.crash).__name__} in {error.crash.module}.{error.crash.call}"
    return shorten(getattr(error, "message", "") or str(error))


def from_teller(entry):
    """Returns the traceback from the teller's own line on, or all of it if no line is the teller's."""
    own = entry
    while own is not None and own.tb_frame.f_code.co_filename != editor.FILE:
        own = own.tb_next
    return own or entry


def rust_place(error):
    """Returns the module that failed, and the line of a panic or else the function that ran: only panics have lines."""
    crash = error.crash if isinstance(error, unpanic.CallInterrupted) else error
    location = getattr(crash, "location", None)
    module = getattr(crash, "module", "bank")
    if module not in RUST_FILES:  # the teller may have loaded more
        return {"module": "bank", "file": RUST_FILES["bank"], "line": None, "function": None}
    own = (path for path, *_ in getattr(crash, "frames", ()) if re.match(rf"{module}(::|\.)", path))
    # Without `{{closure}}` and the like.
    *_, function = ["", *(name for name in re.split(r"::|\.", next(own, ""))[1:] if name.isidentifier())]
    return {
        "module": module,
        "file": RUST_FILES[module],
        "line": location.line if location else None,
        "function": function or None,
    }


def shorten(text, most=160):
    """Returns the first line of a text, cut."""
    line = text.partition("\n")[0]
    return line if len(line) <= most else line[:most] + " …"
