"""The steps inside Pyodide for each package: load, use, crash, use again, three times."""

from __future__ import annotations

import asyncio
import inspect
import time

ROUNDS = 3
SECONDS_TO_RECOVER = 20


async def play(glue, use, crash, keep, ask, recovery):
    """Returns all measurements as data. Raises any unexpected exception.

    Under rollback every commit compares the memory with its shadow, so it also shows that a rollback has brought back
    every byte.
    """
    import unpanic

    try:
        module = await unpanic.load(glue, recovery=recovery)
    except unpanic.LoadError as error:
        return {"load_error": type(error).__name__, "message": str(error)}
    state = unpanic.status(module)
    result = {"target": state.target, "adapter": state.adapter, "recovery": state.recovery, "why": state.why}
    result["rounds"] = []
    result["first"] = await settled(use(module))
    for _ in range(ROUNDS):
        result["rounds"].append(await play_round(module, use, crash, keep, ask))
    unpanic.unload(module)
    return result


async def play_round(module, use, crash, keep, ask):
    import unpanic

    before = unpanic.status(module).generation
    kept = await settled(keep(module))
    answers = [await answer(ask, module, kept)]
    crashed = await crash_of(crash, module)
    await until_ready(module)
    generations = unpanic.status(module).generation - before
    return {
        **crashed,
        "generations": generations,
        "again": await settled(use(module)),
        "answers": [*answers, await answer(ask, module, kept)],
    }


async def crash_of(crash, module):
    import unpanic

    try:
        value = await settled(crash(module))
    except unpanic.Crash as error:
        return {
            "raised": type(error).__name__,
            "kind": error.kind,
            "recovery": error.recovery,
            "state_kept": error.state_kept,
            "message": str(error),
        }
    raise AssertionError(f"there was no crash, but the result {value!r:.200}")


async def answer(ask, module, kept):
    """Returns the answer of a kept object, or the name of the exception that it raises."""
    import unpanic

    try:
        return await settled(ask(module, kept))
    except unpanic.StaleObjectError as error:
        return type(error).__name__


async def until_ready(module):
    """Waits, because large modules recover without blocking the page, which takes some turns of the event loop."""
    import unpanic

    end = time.monotonic() + SECONDS_TO_RECOVER
    while (phase := unpanic.status(module).phase) != "ready":
        if time.monotonic() > end:
            raise AssertionError(f"the module is {phase!r} {SECONDS_TO_RECOVER} s after the crash")
        await asyncio.sleep(0.01)


async def settled(value):
    return await value if inspect.isawaitable(value) else value


def keep_nothing(_module):
    return None


def ask_nothing(_module, _kept):
    return None
