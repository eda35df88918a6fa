"""Each fixture, in each of its builds, runs under rollback, and each commit compares memory with its shadow.

Other tests are about what calls do. Here every export is called, with small arguments and with some that fill several
cards of memory. What JavaScript writes into memory without a mark is an uncaught error of the page (`pyodides.py`).
"""

from __future__ import annotations

import asyncio

import pytest

from scripts.serve import ROOT

CRATES = sorted(folder.parent.name for folder in ROOT.glob("rust/fixtures/*/pkg"))
# The first overwrites the memory that it runs in. The second makes a memory so large that each look at it takes long.
# The third calls a callback that returns long texts, and is stopped only after thousands of these.
LEFT_OUT = ["wild_write", "statements", "call_for_ever"]
# How long texts and arrays are: they fit between their neighbours in a card, or fill several cards.
SIZES = [2, 9_000]
# So many objects of each class are kept, for their methods.
KEPT = 5
TIMEOUT = 0.02


def argument(kind, size, objects, turn):
    """Returns a value for a parameter of this kind, which is small or fills several cards of memory.

    The next call's value has other content: what lies at the same address again would be no difference.
    """
    import array

    from unpanic._bridge.kinds import ARRAYS

    import js

    # Glue writes ASCII one by one, and encodes everything else.
    number, letter = turn % 100, chr((0x61, 0xE0)[turn % 2] + turn % 26)
    values = {
        "string": letter * size,
        "char": "é",
        "bool": True,
        "float": 2.5,
        "function": lambda *_: chr(0x61 + turn % 26) * size,
        "list": [letter * (size // 100)] * 20,
        "stream": iter(["a" * size, 1]),
    }
    if kind.name == "array":
        code = ARRAYS[kind.element][0]
        return array.array(code, [number] * size)
    if kind.name == "list" and kind.element == "object":
        return objects.get(kind.class_name, [])[-1:]
    if kind.name == "list" and kind.element == "enum":
        return [0] * size
    if kind.name == "object":
        return objects[kind.class_name].pop() if objects.get(kind.class_name) else None
    if kind.name in ("any", "unknown"):
        return js.Object.new() if size > 100 else "text"
    return values.get(kind.name, 2)


def every_call(module):
    """Yields each export: a function that calls it with a list, its parameters, and the class that it belongs to."""
    from unpanic._exports import registry

    description = registry.of(module).description
    for function in description.functions:
        yield function.name, getattr(module, function.name), function.params, ""
    for described in description.classes:
        cls = getattr(module, described.name)
        if described.construct:
            yield described.name, cls, described.construct.params, ""
        for static in described.statics:
            yield static.name, getattr(cls, static.name), static.params, ""
        for getter in described.static_getters:
            yield getter.name, lambda cls=cls, name=getter.name: getattr(cls, name), (), ""
        for setter in described.static_setters:
            call = lambda value, cls=cls, name=setter.name: setattr(cls, name, value)  # noqa: E731
            yield setter.name, call, setter.params, ""
        for method in described.methods:
            call = lambda this, *args, name=method.name: getattr(this, name)(*args)  # noqa: E731
            yield method.name, call, method.params, described.name
        for getter in described.getters:
            yield getter.name, lambda this, name=getter.name: getattr(this, name), (), described.name
        for setter in described.setters:
            call = lambda this, value, name=setter.name: setattr(this, name, value)  # noqa: E731
            yield setter.name, call, setter.params, described.name


async def call_everything(module):
    """Calls every export. Returns how often each class of exception came out, and how many calls returned."""
    import collections

    import unpanic

    counts, waiting, objects = collections.Counter(), [], collections.defaultdict(list)
    for size in SIZES:
        for turn, (name, call, params, owner) in enumerate(every_call(module)):
            if name in LEFT_OUT or (owner and not objects[owner]):
                continue
            this = objects[owner][-1:] if owner else []
            try:
                result = call(*this, *(argument(param.kind, size, objects, turn) for param in params))
                counts["returned"] += 1
            except (unpanic.UnpanicError, TypeError, ValueError, OverflowError) as error:
                counts[type(error).__name__] += 1
                continue
            if isinstance(result, asyncio.Future):
                waiting.append(result)
            else:
                found = objects[type(result).__name__]
                found.append(result)
                del found[:-KEPT]
    await asyncio.sleep(0.01)
    return counts, waiting


async def run_builds(crate, builds):
    import unpanic

    rows = {}
    for build in builds:
        module = await unpanic.load(
            f"/fixtures/{crate}/pkg/{build}/{crate}.js",
            recovery="rollback",
            timeout=TIMEOUT,
            panic_hook=lambda _: None,
        )
        counts, waiting = await call_everything(module)
        # What the last call wrote is compared when the next one begins.
        recovery = unpanic.status(module).recovery
        unpanic.unload(module)
        await asyncio.gather(*waiting, return_exceptions=True)
        rows[build] = [recovery, counts]
    return rows


@pytest.mark.parametrize("realm", ["page"])
@pytest.mark.parametrize("crate", CRATES)
def test_every_commit_of_every_fixture(py, crate):
    builds = sorted(folder.name for folder in ROOT.glob(f"rust/fixtures/{crate}/pkg/*"))
    rows = py.run(run_builds, crate=crate, builds=builds)
    print(rows)
    assert list(rows) == builds
    for build, (recovery, counts) in rows.items():
        assert recovery == "rollback", build
        assert counts.get("returned", 0) > 0, build
