"""The fixture `inject`, which makes a chosen call of a Rust module die. `inject.mjs` does it."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from typing import Any

__all__ = ["Inject", "Plan"]

KINDS = ("panic", "trap", "overflow", "oom", "hang", "foreign")
PLACES = ("entry", "return", "allocation", "import")
# At these places a call may be several times.
INSIDE = ("allocation", "import")
# What unwinds Rust's frames, where a build does that.
UNWINDING = ("panic", "foreign")
# What a plan is drawn from: tests are short.
MOST_CALLS = 3
MOST_TIMES = 8


class Plan:
    """A call that is to die. Its text is the line that makes the plan.

    Attributes:
        n: at which allocation or import it dies.
        call: which call of the function it is.
    """

    def __init__(self, module: Any, kind: str, on: str, call: int, at: str, n: int) -> None:
        parts = _parts(module)
        chosen = {exported for name, exported in _paths(parts.description) if name == on or name.endswith(f".{on}")}
        if not chosen:
            raise ValueError(f"{module.__name__} has no function {on!r}; it has {', '.join(_names(module))}")
        if not _js().isWatched(parts.context.driver):
            raise ValueError(f"{module.__name__} was loaded before the fixture `inject`: name `inject` first")
        self.n, self.call = n, call
        self._at = at
        options = [f"on={_quoted(on)}"]
        options += [f"call={call}"] * (call != 1) + [f"at={_quoted(at)}"] * (at != "entry") + [f"n={n}"] * (n != 1)
        self._line = f"inject({module.__name__.rpartition('.')[2]}, {_quoted(kind)}, {', '.join(options)})"
        to_js = importlib.import_module("pyodide.ffi").to_js
        line = f"inject: reproduce with {self._line}"
        self._plan = _js().add(parts.context.driver, kind, to_js(sorted(chosen)), call, at, n, line)

    def __str__(self) -> str:
        return self._line

    __repr__ = __str__

    @property
    def fired(self) -> bool:
        """Whether the call has died."""
        return bool(self._plan.isFired)

    @property
    def shortfall(self) -> str:
        """How far it came."""
        calls, count = self._plan.calls, self._plan.count
        if calls < self.call:
            return f"there was {calls} such call" if calls == 1 else f"there were {calls} such calls"
        if self._at in INSIDE:
            return f"that call has {count} {self._at}{'s' if count != 1 else ''}"
        return "that call died before, or entered no function of Rust's"

    def end(self) -> None:
        """The call will not die any more."""
        _js().end(self._plan)


class Inject:
    """The value of the fixture `inject`."""

    def __init__(self) -> None:
        self._plans: list[Plan] = []
        # What must be reached: no one has chosen the others.
        self._chosen: list[Plan] = []

    def __call__(
        self,
        module: Any,
        kind: str | None = None,
        *,
        on: str | None = None,
        call: int | None = None,
        at: str | None = None,
        n: int | None = None,
        seed: int | None = None,
    ) -> Plan:
        """Makes a call of a Rust module die. The module stays as it is.

        Args:
            module: the module.
            kind: "panic", "trap", "overflow" (of the stack), "oom" (memory is short), "hang" (an endless loop), or
                "foreign" (an exception of JavaScript's).
            on: the function, or the method, such as "transfer", "deposit" or "Account.deposit".
            call: which call from now on, by default 1, the next.
            at: "entry" (the default) or "return": before Rust runs, or after it; or "allocation" or "import": where the
                call allocates memory, or calls JavaScript.
            n: which allocation or import of the call, by default 1, the first.
            seed: what is not given is drawn at random, always the same for the same number.

        Returns:
            The plan. A test fails whose plan nobody has reached, unless it was drawn.

        Raises:
            ValueError: there is no such kind or place, the module has no such function, or it unwinds and the plan is
                a panic or an exception at an allocation, which Rust's allocator never lets out.

        Example:
            >>> inject(bank, "panic", on="deposit", call=3)
            >>> inject(bank, seed=7)
        """
        is_drawn = seed is not None
        if is_drawn:
            kind, on, call, at, n = _draw(module, random.Random(seed), kind, on, call, at, n)
        if kind is None or on is None:
            raise ValueError("inject needs a kind and `on`, or a `seed`")
        plan = _checked(module, kind, on, 1 if call is None else call, at or "entry", 1 if n is None else n)
        self._plans.append(plan)
        if not is_drawn:
            self._chosen.append(plan)
        return plan

    def each(self, module: Any, kind: str, *, on: str, call: int = 1, at: str = "import") -> Iterator[Plan]:
        """Fails each place of a call once: gives a plan for the first, the second, …, until there are no more.

        The body of the loop runs once for each plan, and a last time in which nothing dies.

        Args:
            module: the module.
            kind: as for `inject`.
            on: the function or the method.
            call: which call in each turn of the loop.
            at: "allocation" or "import"; with "entry" or "return" it is each call of the function, from `call` on.

        Returns:
            The plans. `plan.fired` tells whether the call has died.

        Raises:
            ValueError: as `inject` does.

        Example:
            >>> for plan in inject.each(bank, "oom", on="transfer", at="allocation"):
            ...     with contextlib.suppress(unpanic.OutOfMemory):
            ...         bank.transfer("ada", "bob", 10)
            ...     assert bank.total() == 100, plan
        """
        turn = 0
        while True:
            plan = _checked(module, kind, on, call, at, turn + 1) if at in INSIDE else None
            plan = plan or _checked(module, kind, on, call + turn, at, 1)
            self._plans.append(plan)
            yield plan
            plan.end()
            turn += 1
            if not plan.fired:
                break
        if turn == 1:
            self._chosen.append(plan)

    def fired(self) -> list[str]:
        """Returns the lines that make the plans again of which calls have died."""
        return [f"inject: reproduce with {plan}" for plan in self._plans if plan.fired]

    def finish(self) -> list[str]:
        """Ends all plans, and returns which of them nobody has reached."""
        _js().clear()
        return [f"inject: nothing reached {plan}: {plan.shortfall}" for plan in self._chosen if not plan.fired]


def _checked(module: Any, kind: str, on: str, call: int, at: str, n: int) -> Plan:
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(map(repr, KINDS))}")
    if at not in PLACES:
        raise ValueError(f"at={at!r} is none of {', '.join(map(repr, PLACES))}")
    if call < 1:
        raise ValueError(f"call={call} is not a number of a call: the next one is 1")
    if n < 1 or (n > 1 and at not in INSIDE):
        raise ValueError(f"n={n}: a call has one {at}" if n > 1 else f"n={n} is no number: the first is 1")
    if not _can(module, kind, at):
        raise ValueError(f"{module.__name__} unwinds, and Rust's allocator never does: no {kind!r} at an allocation")
    return Plan(module, kind, on, call, at, n)


def _can(module: Any, kind: str, at: str) -> bool:
    return not (at == "allocation" and kind in UNWINDING and _parts(module).description.unwinds)


def _draw(
    module: Any, draw: random.Random, kind: str | None, on: str | None, call: int | None, at: str | None, n: int | None
) -> tuple[str, str, int, str, int]:
    """Draws what is not given. Each part is drawn always, so that the others stay what they are if one is given."""
    # Without a limit of time, a loop would end the test.
    kinds = [each for each in KINDS if each != "hang" or _parts(module).description.is_interruptible]
    drawn_kind, drawn_on = draw.choice(kinds), draw.choice(_names(module))
    kind = kind or drawn_kind
    drawn_at = draw.choice([each for each in PLACES if _can(module, kind, each)])
    drawn_call, drawn_n = draw.randint(1, MOST_CALLS), draw.randint(1, MOST_TIMES)
    at = at or drawn_at
    return kind, on or drawn_on, call or drawn_call, at, n or (drawn_n if at in INSIDE else 1)


def _parts(module: Any) -> Any:
    """What is behind a module."""
    return importlib.import_module("unpanic._exports.registry").of(module)


def _js() -> Any:
    return importlib.import_module("js").unpanicInject


def _quoted(text: str) -> str:
    return f'"{text}"'


def _names(module: Any) -> list[str]:
    return sorted({name for name, _ in _paths(_parts(module).description)})


def _paths(description: Any) -> Iterator[tuple[str, str]]:
    """The functions of a module, and the members of its classes: their names, and the runtime's names of them.

    What JavaScript calls otherwise than Python has both names.
    """
    for function in description.functions:
        for name in {function.python, function.name}:
            yield name, function.name
    for cls in description.classes:
        if cls.construct:
            yield cls.name, cls.name
        for member in cls.named_members():
            for name in {member.python, member.name}:
                yield f"{cls.name}.{name}", f"{cls.name}.{member.name}"
