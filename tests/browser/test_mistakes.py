"""The error for a user's mistake shows the user's line and the reason, and no line of unpanic."""

import re

import pytest

from tests.browser.builds import load


def shown(error):
    """Returns what Python prints of an error."""
    import traceback

    return "".join(traceback.format_exception(error))


async def outcome(call):
    """Returns what Python prints of the error of a call, which is awaited if necessary."""
    import inspect

    try:
        result = call()
        if inspect.isawaitable(result):
            await result
    except BaseException as error:
        return shown(error)
    return "nothing was raised"


class Index:
    """A number that fails in the user's Python code."""

    def __index__(self):
        return {}["no such key"]


async def make_mistakes(build):
    from pyodide.code import run_js

    faults = await load(build)
    values = await load("abort", "values")
    thing = faults.Thing(1)
    gone = faults.Thing(2)
    gone.free()
    lists = await load("abort", "lists")
    part, freed = lists.Part("here"), lists.Part("gone")
    freed.free()

    def fail(*_):
        raise LookupError("in a callback")

    mistakes = {
        "too large": lambda: faults.add(2, 2**40),
        "wrong type": lambda: faults.add(2, "3"),
        "too few": lambda: faults.add(2),
        "too many": lambda: faults.add(1, 2, 3),
        "wrong keyword": lambda: faults.add(2, c=3),
        "wrong text": lambda: faults.string_len(3),
        "wrong keyword of a text": lambda: faults.string_len(texd="x"),
        "wrong element": lambda: faults.sum_bytes([1, "x"]),
        "async": lambda: faults.wait("soon"),
        "constructor": lambda: faults.Thing("one"),
        "setter": lambda: setattr(thing, "value", "one"),
        "other class": lambda: faults.consume_thing(3),
        "freed": lambda: gone.explode(),
        "freed, of two": lambda: part.join(freed, 1),
        "freed, in a list": lambda: lists.take_all([part, freed]),
        "freed, for a getter": lambda: freed.name,
        "misspelt": lambda: faults.panic_mesage,
        "misspelt of an object": lambda: thing.explod,
        "misspelt setter": lambda: setattr(part, "nam", "x"),
        "surrogate": lambda: faults.string_len("\ud800"),
        "the user's own": lambda: faults.add(2, Index()),
        "the user's own, of an async call": lambda: faults.wait(Index()),
        "in a callback": lambda: faults.call_catch(fail),
        "closure": lambda: values.adder(1)("x" * 3, Index()),
        "Err": lambda: faults.err_string(),
    }
    found = {name: await outcome(call) for name, call in mistakes.items()}
    # Errors that nobody catches.
    show = run_js("(run) => { try { run(); } catch (error) { return error.message; } }")
    for name in ("too large", "wrong text", "misspelt"):
        found[f"{name}, uncaught"] = show(mistakes[name])
    found["after it all"] = shown(AssertionError(faults.add(2, 3)))
    return found


LAST_LINES = {
    "too large": "OverflowError: add() argument 'b': ",
    "wrong type": "TypeError: add() argument 'b': ",
    "too few": "TypeError: add() missing 1 required positional argument: 'b'",
    "too many": "TypeError: add() takes 2 positional arguments but 3 were given",
    "wrong keyword": "TypeError: add() got an unexpected keyword argument 'c'",
    "wrong text": "TypeError: string_len() argument 'text': ",
    "wrong keyword of a text": "TypeError: string_len() got an unexpected keyword argument 'texd'",
    "wrong element": "TypeError: sum_bytes() argument 'bytes': ",
    "async": "TypeError: wait() argument 'ms': ",
    "constructor": "TypeError: Thing() argument 'value': ",
    "setter": "TypeError: Thing.value: ",
    "other class": "TypeError: consume_thing() argument 't': ",
    "freed": "unpanic.errors.StaleObjectError: This faults.Thing was freed; ",
    "freed, of two": "unpanic.errors.StaleObjectError: This lists.Part was freed; ",
    "freed, in a list": "unpanic.errors.StaleObjectError: This lists.Part was freed; ",
    "freed, for a getter": "unpanic.errors.StaleObjectError: This lists.Part was freed; ",
    "misspelt": "AttributeError: module 'faults' has no attribute 'panic_mesage'. Did you mean: 'panic_message'?",
    "misspelt of an object": "AttributeError: 'Thing' object has no attribute 'explod'. Did you mean: 'explode'?",
    "misspelt setter": "AttributeError: 'Part' object has no attribute 'nam'. Did you mean: 'name'?",
    "surrogate": "in string_len() argument 'text'",  # in a note, because the error has its own message
    "the user's own": "KeyError: 'no such key'",
    "the user's own, of an async call": "KeyError: 'no such key'",
    "in a callback": "LookupError: in a callback",
    "closure": "",
    "Err": "unpanic.errors.RustError: ",
}


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_a_mistake_shows_the_users_lines_alone(py, build):
    """Pyodide's report of an uncaught exception shows only the user's lines too."""
    found = py.run(make_mistakes, build=build)
    assert found.pop("after it all") == "AssertionError: 5\n"
    for name, text in found.items():
        last = text.strip().splitlines()[-1]
        assert text != "nothing was raised", name
        assert last.startswith(LAST_LINES[name.removesuffix(", uncaught")]), (name, last)
        assert "Did you mean" in last or "isspelt" not in name, (name, last)
        files = re.findall(r'File "(.*?)"', text)
        assert files, (name, text)
        assert {file for file in files if "test_mistakes.py" not in file} <= {"<Rust module faults>"}, (name, text)


async def forget_the_await(glue):
    import asyncio
    import traceback

    import unpanic
    from pyodide.ffi import can_run_sync, run_sync

    bank = unpanic.load(glue)
    found = {}
    try:
        bank.add(2, 3)
    except AttributeError as error:
        found["said"] = [str(error), len(traceback.extract_tb(error.__traceback__))]
    bank.close()
    found["coroutine"] = asyncio.iscoroutine(unpanic.load)  # the argument is no function
    loaded = [
        await unpanic.load(glue),
        await asyncio.create_task(unpanic.load(glue)),
        *await asyncio.gather(unpanic.load(glue), unpanic.load(glue)),
        await asyncio.wait_for(unpanic.load(glue), 30),
        await asyncio.ensure_future(unpanic.load(glue)),
    ]
    if can_run_sync():
        loaded.append(run_sync(unpanic.load(glue)))
    found["sums"] = {module.add(2, 3) for module in loaded} == {5}
    for module in loaded:
        unpanic.unload(module)
    return found


def test_a_forgotten_await_is_named(py):
    """The first attribute access names the missing await. Any user of a coroutine accepts the result of `load`."""
    found = py.run(forget_the_await, glue="/fixtures/bank/pkg/abort/bank.js")
    message, lines = found["said"]
    assert "Write `await unpanic.load(...)`." in message
    assert (lines, found["coroutine"], found["sums"]) == (1, False, True)
