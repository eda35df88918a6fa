"""One traceback leads from the user's code into Rust."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
import types
import weakref
from pathlib import Path
from typing import Any

import pytest
import unpanic
from unpanic._bridge.crashes import make_crash
from unpanic._bridge.wire import DiagnosisFields
from unpanic._traceback import make_entries, merge

from tests.unit.fakes import FakeStack

NOTHING = (None, None, None)
PLACE = ("src/lib.rs", 75, 13)
FUNCTIONS = "<bank::Account>::withdraw account_withdraw"
RUST = """\
  File "<Rust module bank>", line 0, in account_withdraw
  File "src/lib.rs", line 75, in bank::Account::withdraw
unpanic.errors.RustPanic: boom (in bank.Account.withdraw, src/lib.rs:75:13)
"""


def panic(functions: str = FUNCTIONS, place: Any = PLACE, kind: str = "panic") -> Any:
    diagnosis = (kind, "unreachable", "boom", "&str", *place, FakeStack(functions), None)
    return make_crash(DiagnosisFields(*diagnosis), call="Account.withdraw", module="bank", generation=0)


def names(entry: types.TracebackType | None) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(entry)]


def user(error: BaseException) -> None:
    raise error


def caught(error: BaseException) -> Any:
    try:
        user(error)
    except BaseException as raised:
        return raised


def test_the_users_frames_come_first():
    """Then come the Rust frames, outermost first, the innermost with file and line, and the message."""
    text = "".join(traceback.format_exception(caught(panic())))
    assert text.startswith('Traceback (most recent call last):\n  File "')
    assert "in user\n    raise error\n" in text
    assert text.endswith(RUST)


def test_frames_have_their_place():
    """The panic hook knows only the innermost place, and methods have their names in the source."""
    frames = panic().frames
    assert frames == (unpanic.Frame("bank::Account::withdraw", "src/lib.rs", 75), unpanic.Frame("account_withdraw"))
    assert panic(place=NOTHING).frames[0] == unpanic.Frame("bank::Account::withdraw")
    trait_method = unpanic.RustPanic(stack=FakeStack("<a::B<c>>::e"))
    assert trait_method.frames == (unpanic.Frame("<a::B<c>>::e"),)


def test_the_stack_is_read_when_somebody_looks():
    """Until then one entry stands for it, so a crash that is caught costs nothing."""
    crash = caught(panic())
    stack = crash._stack
    assert stack.reads == 0
    raw = vars(BaseException)["__traceback__"].__get__(crash)
    assert names(raw)[-2:] == ["user", "bank.Account.withdraw"]
    assert names(crash.__traceback__)[-3:] == ["user", "account_withdraw", "bank::Account::withdraw"]
    assert stack.reads == 1


@pytest.mark.parametrize(
    ("crash", "expected"),
    [
        (panic("", PLACE), ('File "src/lib.rs", line 75', "in bank.Account.withdraw")),
        (panic("", NOTHING), ('File "<Rust module bank>", line 0', "in bank.Account.withdraw")),
        (panic("f", NOTHING, "trap"), ('File "<Rust module bank>", line 0', "in f")),
    ],
)
def test_what_is_not_known_is_left_out(crash: Any, expected: tuple[str, str]):
    """Without a stack the call stands in for it, and without a place the module does."""
    last = "".join(traceback.format_exception(caught(crash))).splitlines()[-2]
    assert last == f"  {', '.join(expected)}"


UNNAMED = "wasm-function[90] wasm-function[12]"


@pytest.mark.parametrize(
    ("place", "expected"), [(PLACE, 'File "src/lib.rs", line 75'), (NOTHING, 'File "<Rust module bank>", line 0')]
)
def test_a_build_without_names_says_so_once(place: Any, expected: str):
    """One line says so, with the place if it is known, and there are no frames."""
    crash = panic(UNNAMED, place)
    text = "".join(traceback.format_exception(caught(crash)))
    assert text.splitlines()[-2] == f"  {expected}, in [this build has no names of functions]"
    assert "wasm-function" not in text
    assert crash.frames == ()


def test_frames_without_names_are_left_out():
    """Frames that have names stay. The place belongs to the first of all frames."""
    assert panic("bank::f wasm-function[12] bank::g").frames == (
        unpanic.Frame("bank::f", "src/lib.rs", 75),
        unpanic.Frame("bank::g"),
    )
    assert panic("wasm-function[12] bank::g").frames == (unpanic.Frame("bank::g"),)


def test_a_crash_without_a_call_is_in_its_module():
    """A timer's panic is an example."""
    diagnosis = ("panic", None, "boom", "&str", *PLACE, FakeStack(""), None)
    assert names(make_crash(DiagnosisFields(*diagnosis), module="bank").__traceback__) == ["bank"]


def test_a_long_recursion_is_shown_at_both_ends():
    """Python would not shorten mutual recursion."""
    functions = " ".join(["innermost", *["a b"] * 500, "outermost"])
    shown = names(panic(functions).__traceback__)
    assert (shown[0], shown[-1]) == ("outermost", "innermost")
    assert len(shown) == 51
    assert "[952 more frames]" in shown
    assert len(panic(functions).frames) == 1002


def test_a_crash_that_is_raised_again_shows_rust_once():
    """A task and its awaiter raise it, and it is the cause of another error."""

    async def fail() -> None:
        raise panic()

    async def main() -> Any:
        task = asyncio.ensure_future(fail())
        found = []
        for _ in range(2):
            try:
                await task
            except unpanic.RustPanic as error:
                found.append(names(error.__traceback__))
        return found

    first, second = asyncio.run(main())
    assert first == ["main", "fail", "account_withdraw", "bank::Account::withdraw"]
    assert second == ["main", "account_withdraw", "bank::Account::withdraw"]  # the task's own frames are gone
    ended = unpanic.ModuleTerminated("over")
    ended.__cause__ = caught(panic())
    assert RUST in "".join(traceback.format_exception(caught(ended)))


def test_a_future_hands_it_on():
    """The exception of an async call has its Rust frames below the `await`."""

    async def wait() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(panic())
        await future

    async def main() -> Any:
        try:
            await wait()
        except unpanic.RustPanic as error:
            return "".join(traceback.format_exception(error))

    text = asyncio.run(main())
    assert "in wait\n    await future\n" in text
    assert text.endswith(RUST)


def test_own_frames_are_left_out():
    """Frames of unpanic between the caller and Rust belong to neither."""
    own = Path(unpanic.__file__).parent / "_exports" / "functions.py"
    wrapper: dict[str, Any] = {"user": user}
    exec(compile("def outer(error):\n    inner(error)", "<unpanic bank>", "exec"), wrapper)
    exec(compile("def inner(error):\n    raise error", str(own), "exec"), wrapper)
    for error in (panic(), unpanic.RustError("no such account")):
        try:
            wrapper["outer"](error)
        except unpanic.UnpanicError as raised:
            found = names(raised.__traceback__)
            assert "outer" not in found
            assert "inner" not in found
            assert found[0] == "test_own_frames_are_left_out"


def test_a_traceback_of_own_frames_alone_is_empty():
    """It is like that of an error that has not been raised."""
    assert merge(None) is None
    assert unpanic.RustError("x").__traceback__ is None
    error = unpanic.RustError("x")
    error.__traceback__ = None
    assert error.with_traceback(None) is error


def wrapped(error: BaseException) -> None:
    """Raises the error below a frame of the user, one of Pyodide and one of unpanic."""
    scope: dict[str, Any] = {"user": user, "error": error}
    exec(compile("def own(): user(error)", "<unpanic bank>", "exec"), scope)
    exec(compile("def run_async(): own()", "/lib/python314.zip/_pyodide/_base.py", "exec"), scope)
    scope["run_async"]()


def test_what_takes_the_traceback_from_the_interpreter_shows_it_too(caplog: pytest.LogCaptureFixture):
    """`logging` and the reports of uncaught errors in Python and Pyodide show it."""
    try:
        user(panic())
    except unpanic.RustPanic:
        logging.getLogger("test").exception("failed")
    assert RUST in caplog.text
    try:
        wrapped(panic())
    except unpanic.RustPanic as error:
        raw = vars(BaseException)["__traceback__"].__get__(error).tb_next.tb_next
        text = "".join(traceback.format_exception(type(error), error, raw))
    assert "in user\n    raise error\n" in text
    assert text.endswith(RUST)
    assert "<unpanic" not in text
    assert "_pyodide" not in text


def test_other_errors_are_shown_as_ever():
    """Their frames are their own, and code that asks for no traceback gets none."""
    try:
        wrapped(KeyError("mine"))
    except KeyError as error:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert '"/lib/python314.zip/_pyodide/_base.py", line 1, in run_async' in text
    assert '"<unpanic bank>", line 1, in own' in text
    error = caught(panic())
    assert traceback.format_exception(type(error), error, None) == [RUST.splitlines(keepends=True)[-1]]


def test_it_keeps_nothing_alive():
    """Frames of Rust hold only constants, and the callers of their code are gone with their own frames."""

    class Held:
        pass

    def make() -> Any:
        held = Held()
        crash = panic("only_here")
        return crash, crash.__traceback__, weakref.ref(held)

    _crash, entry, held = make()
    gc.collect()
    assert held() is None
    assert entry.tb_frame.f_back is None
    assert dict(entry.tb_frame.f_locals) == {}


def test_entries_are_shared():
    """A thousand equal stacks take the memory of one."""
    assert make_entries((("f", None, None),), "bank") is make_entries((("f", None, None),), "bank")


def test_without_ipython_nothing_else_is_shown():
    """Without a shell, IPython's method returns Python's own text."""
    assert "".join(caught(panic())._render_traceback_()).endswith(RUST)


def test_a_stack_that_is_not_much_too_long_is_shown_whole():
    """A line with the number of omitted frames would replace only one frame."""
    assert len(names(panic(" ".join(f"f{number}" for number in range(51))).__traceback__)) == 51
    shown = names(panic(" ".join(f"f{number}" for number in range(52))).__traceback__)
    assert (len(shown), "[2 more frames]" in shown) == (51, True)
