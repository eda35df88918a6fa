"""What tests of rollback have in common: every commit compares memory with its shadow."""

from tests.browser.builds import load

# Builds of the fixture `undo`; "mvp" has glue of the older vintage, which keeps JavaScript's values in an array.
UNDOING = ["abort", "reset", "unwind", "mvp"]


async def undoing(build, crate="undo", **options):
    """Loads a fixture whose calls are rolled back, and has each commit look for writes without a mark."""
    return await load(build, crate, **{"recovery": "rollback", "panic_hook": lambda _: None} | options)


def fate(function, *args):
    """Returns what a call raises, and what became of the module's state: `["RustPanic", "rollback", True]`."""
    try:
        function(*args)
    except BaseException as error:
        return [type(error).__name__, getattr(error, "recovery", ""), getattr(error, "state_kept", None)]
    return []


def tally(module):
    """Returns the module's generation, and how often it was rolled back and reset."""
    import unpanic

    status = unpanic.status(module)
    return [status.generation, status.rollbacks, status.resets]


UNDONE = ["RustPanic", "rollback", True]
