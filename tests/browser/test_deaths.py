"""Every way to die is noticed, is named, and costs the caller one exception (rule 1)."""

import pytest

from tests.browser.builds import BUILDS, caught, load
from tests.places import EVERYWHERE

pytestmark = pytest.mark.each_build

# the call, its arguments, the class, and essential words of the message
PANICS = [
    ("panic_message", [], "a plain message"),
    ("panic_formatted", [3], "formatted with 3"),
    ("panic_deep", [3], "3 functions down"),
    ("panic_any_i32", [], "42"),
    ("panic_any_struct", [], "Box<dyn Any>"),
    ("unwrap_none", [], "called `Option::unwrap()` on a `None` value"),
    ("expect_err", [], 'it should have worked: "the reason"'),
    ("index_out_of_bounds", [9], "index out of bounds: the len is 3 but the index is 9"),
    ("overflow_add", [2147483647], "attempt to add with overflow"),
    ("divide", [1, 0], "attempt to divide by zero"),
    ("double_borrow", [], "RefCell already borrowed"),
]
TRAPS = [
    ("trap_unreachable", [], "unreachable"),
    ("trap_divide_by_zero", [1], "divide_by_zero"),
    ("abort", [], "unreachable"),
    ("wild_read", [4294967200], "out_of_bounds"),
    ("wild_write", [4294967200, 1], "out_of_bounds"),
    ("indirect_call", [], "indirect_call"),
    ("indirect_call_mismatch", [], "indirect_call"),
]
OTHERS = [
    ("shadow_stack_overflow", [], "StackOverflow"),
    ("engine_stack_overflow", [], "StackOverflow"),
    ("out_of_memory", [], "OutOfMemory"),
]


def describe(error):
    """Returns everything that a test looks at, as JSON."""
    details = {
        name: getattr(error, name, None) for name in ("message", "kind", "call", "recovery", "state_kept", "code")
    }
    location = getattr(error, "location", None)
    frames = [frame.function for frame in getattr(error, "frames", ())]
    cause = error.__cause__ and str(error.__cause__)
    return {
        "class": type(error).__name__,
        **details,
        "file": location and location.file,
        "frames": frames,
        "cause": cause,
    }


async def die(build, deaths):
    import unpanic

    faults = await load(build)
    outcomes = []
    for name, arguments in deaths:
        error = caught(getattr(faults, name), *arguments)
        # The next calls find a whole instance: numbers, the allocator, strings both ways.
        works = [faults.add(1, 2), faults.string_len("héllo"), faults.echo_string("wörld"), faults.bump()]
        outcomes.append((describe(error), works, unpanic.status(faults).generation))
    unpanic.unload(faults)
    return outcomes


def run(py, build, table):
    return zip(table, py.run(die, build=build, deaths=[row[:2] for row in table]), strict=True)


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_panics(py, build):
    """A panic arrives with its message and its place. An unwind build keeps its state, and the others start anew."""
    for number, ((name, _, message), (error, works, generation)) in enumerate(run(py, build, PANICS), start=1):
        unwinds = build == "unwind"
        assert error["class"] == "RustPanic", name
        assert error["message"] == message
        assert error["call"] == name
        assert error["file"] == "src/deaths.rs"
        assert (error["recovery"], error["state_kept"]) == (("unwind", True) if unwinds else ("reset", False))
        assert works == [3, 6, "wörld", number if unwinds else 1], name
        assert generation == (0 if unwinds else number)


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_traps(py, engine, build):
    """A trap arrives with its code, and causes a reset also in a build that unwinds."""
    for number, ((name, _, code), (error, works, generation)) in enumerate(run(py, build, TRAPS), start=1):
        if engine == "firefox" and name == "indirect_call":
            code = "out_of_bounds"  # Firefox has one message for what lies beyond the table and beyond memory.
        assert (error["class"], error["code"]) == ("Trap", code), name
        assert error["recovery"] == "reset"
        assert works == [3, 6, "wörld", 1]
        assert generation == number


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_overflows_and_memory(py, build):
    """Both stacks and the heap can run out. A test accepts either overflow, because engines differ in their limits."""
    for (name, _, kind), (error, works, _) in run(py, build, OTHERS):
        assert error["class"] == kind, name
        assert error["recovery"] == "reset"
        assert works == [3, 6, "wörld", 1]


def test_frames_start_at_the_code_that_panicked(py):
    """The frames leave out the panic machinery and the functions that wasm-bindgen generated."""
    [(error, _, _)] = py.run(die, build="abort", deaths=[("panic_deep", [3])])
    assert error["frames"][0].startswith("faults::deaths::"), error["frames"]
    assert not [name for name in error["frames"] if name.endswith((" shim", " wrapper"))]


async def shallow_then_many(count):
    import unpanic

    faults = await load("abort")
    addresses = set()
    for _ in range(count):
        addresses.add(faults.shadow_stack_address())
        caught(faults.panic_message)
    generation = unpanic.status(faults).generation
    unpanic.unload(faults)
    return len(addresses), generation


def test_a_crashed_instance_is_never_used_again(py):
    """An abort leaves the shadow stack lowered, but after 300 panics the stack starts where it did before."""
    assert py.run(shallow_then_many, count=300) == [1, 300]
