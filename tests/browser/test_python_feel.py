"""A Rust module looks like Python: names, signatures, help, objects, enums, types."""

import pytest

from tests.browser.builds import BUILDS, caught, load
from tests.places import EVERYWHERE

TYPES = "/fixtures/shapes/pkg/reset/shapes.d.ts"
# These builds have no file that types could lie beside.
NAMESPACES = ["native", "minified"]
SHOWN = [
    "Fill", "Point", "Shape", "Size", "call_back", "count_later", "double_byte", "draw", "empty_shape", "enlarged",
    "lambda_", "larger", "late", "make_shape", "origin", "refilled", "size_or", "split_in_two", "sum", "with_options",
]  # fmt: skip
SIGNATURES = {
    "call_back": "(function: collections.abc.Callable[[float], str]) -> Any",
    "double_byte": "(byte: int) -> int",
    "draw": "(options: shapes.DrawOptions, place: Place | None = None) -> Any",
    "enlarged": "(size: shapes.Size | Literal['small', 'extra-large']) -> shapes.Size",
    "lambda_": "(from_: int, in_: int) -> int",
    "larger": "(first: int, second: int) -> int",
    "late": "(first: int | None, second: int) -> int",
    "make_shape": "(corners: collections.abc.Sequence[shapes.Point], fill: shapes.Fill | None = None) -> shapes.Shape",
    "origin": "(there: bool) -> shapes.Point | None",
    "size_or": "(size: shapes.Size | Literal['small', 'extra-large'] | None = None) -> shapes.Size | None",
    "split_in_two": "(the_text: str, split_at: int | None = None) -> list[str]",
    "sum": "(*numbers: float) -> float",
    "with_options": "(a: int | None = None, b: float | None = None, c: bool | None = None, d: str | None = None, "
    "e: shapes.Point | None = None) -> str",
    "Point": "(x: float, y: float | None = None) -> None",
    "Point.distance_to": "(self, other: shapes.Point | None = None) -> float",
    "Point.at_origin": "() -> shapes.Point",
    "Shape.import_": "(self, from_: str) -> str",
}


async def signatures(build, names, types):
    import inspect
    import operator

    shapes = await load(build, "shapes", types=types, name="shapes")
    found = {name: str(inspect.signature(operator.attrgetter(name)(shapes))) for name in names}
    return [[name for name in dir(shapes) if not name.startswith("__")], found]


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_signatures(py, build):
    """Each build has PEP 8 names, and the types of its declarations."""
    names, found = py.run(signatures, build=build, names=[*SIGNATURES], types=TYPES if build in NAMESPACES else None)
    assert names == SHOWN
    assert found == SIGNATURES


async def numeric_function(build):
    import inspect

    shapes = await load(build, "shapes", types=TYPES if build in NAMESPACES else None)
    larger = shapes.larger
    return [
        [larger(2, 3), larger(first=5, second=4), larger(2, second=3), larger(True, 0)],
        [larger.__name__, larger.__qualname__, larger.__module__, larger.__doc__, inspect.isroutine(larger)],
        repr(larger).startswith("<function larger at 0x"),
        [
            str(caught(lambda: larger(1))),
            str(caught(lambda: larger(1, secnd=2))),
            str(caught(lambda: larger(2**40, 1))),
        ],
        type("Holder", (), {"larger": larger})().larger(1, 2),
    ]


@pytest.mark.parametrize("build", BUILDS)
def test_functions_of_numbers(py, build):
    """Functions of plain numbers are JavaScript's own, but look and take keywords like any function."""
    results, names, is_shown, messages, held = py.run(numeric_function, build=build)
    assert results == [3, 5, 3, 1]
    assert names == ["larger", "larger", "shapes", "The larger of two integers.", True]
    assert is_shown
    assert messages[0] == "larger() missing 1 required positional argument: 'second'"
    assert messages[1].startswith("larger() got an unexpected keyword argument 'secnd'")
    assert messages[2].startswith("larger() argument 'first': 1099511627776 does not fit a 32-bit integer")
    assert held == 2


async def helped(what):
    import operator
    import pydoc

    shapes = await load("abort", "shapes", name="shapes")
    return pydoc.plain(pydoc.render_doc(operator.attrgetter(what)(shapes) if what else shapes))


MAKE_SHAPE = """
make_shape(corners: Sequence[Point], fill: Fill | None = None) -> Shape
    A shape with the given corners.

        makeShape([new Point(1, 2)], Fill.Solid)

    Args:
        corners: what Points it has
        fill: what is in it

    Returns:
        a new shape

    Raises:
        RustError: when there are no corners
"""


async def has_lazy_annotations():
    import sys

    return sys.version_info >= (3, 14)


def test_help_of_functions(py):
    """The help has the signature, then the Rust comment in Python's form, also for functions of numbers."""
    text = py.run(helped, what="make_shape")
    assert MAKE_SHAPE[MAKE_SHAPE.index("\n    A") :].strip() in text
    if py.run(has_lazy_annotations):  # older versions of `help` show the objects
        assert MAKE_SHAPE.strip() in text
    text = py.run(helped, what="larger")
    assert "larger(first: int, second: int) -> int\n    The larger of two integers." in text


def test_help_of_classes(py):
    """The help shows constructor, methods, static methods and properties with their comments, and no internals."""
    text = py.run(helped, what="Point")
    for part in (
        "A point in the plane.", "Makes a point.", "y: distance from the top, which is 0 if it is left out",
        "Static methods defined here:", "at_origin() ->", "The point where both are 0.",
        "Readonly properties defined here:", "Distance from the top.", "Distance from the left.",
        "to_json(self) -> str",
    ):  # fmt: skip
        assert part in text
    internal = ("_rust", "__rust_handle__", "__wbg", "atOrigin", "distanceTo", "__abstractmethods__", "__del__")
    for name in internal:
        assert name not in text


def test_help_of_the_module(py):
    """The help shows all functions, classes and enums, each once and under its Python name."""
    text = py.run(helped, what="")
    functions = text[text.index("\nFUNCTIONS") :]
    for name in SHOWN[4:]:
        assert f" {name}(" in functions
    for name in ("splitInTwo", "initSync", "__wbg", "setPanicHook", "NumericFunction"):
        assert name not in text


async def enums(build):
    import enum

    shapes = await load(build, "shapes", types=TYPES if build in NAMESPACES else None)
    fill, size = shapes.Fill, shapes.Size
    return [
        [issubclass(fill, enum.IntEnum), issubclass(size, enum.StrEnum)],
        [{member.name: member.value for member in found} for found in (fill, size)],
        [fill.__doc__, size.__doc__, fill.__module__, size.__qualname__],
        [shapes.enlarged("small") is size.ExtraLarge, shapes.enlarged(size.Small).value, shapes.size_or().name],
        [shapes.refilled(0) is fill.Solid, shapes.refilled(fill.Solid) is fill.Hatched],
        [str(caught(lambda: shapes.enlarged("big"))), type(caught(lambda: shapes.enlarged("big"))).__name__],
    ]


@pytest.mark.parametrize("build", BUILDS)
def test_enums(py, build):
    """Enums have numbers or strings. Rust takes a plain value, and the error for a wrong one lists all values."""
    kinds, members, docs, sizes, fills, error = py.run(enums, build=build)
    assert kinds == [True, True]
    assert members == [{"Empty": 0, "Solid": 1, "Hatched": 5}, {"Small": "small", "ExtraLarge": "extra-large"}]
    assert docs == ["What a shape is filled with.", "How large something is.", "shapes", "Size"]
    assert sizes == [True, "extra-large", "Small"]
    assert fills == [True, True]
    text = "enlarged() argument 'size': 'big' is not a valid Size: it has 'small', 'extra-large'"
    assert error == [text, "ValueError"]


async def values(build):
    shapes = await load(build, "shapes", types=TYPES if build in NAMESPACES else None)
    point = shapes.Point(3, y=4)
    with shapes.make_shape(fill=shapes.Fill.Solid, corners=[point, shapes.Point(1)]) as shape:
        shape.line_width = 2.5
        found = [shape.line_width, shape.lineWidth, [corner.x for corner in shape.corners()], shape.import_("x")]
    return [
        found,
        [shapes.Point(3, 4).distance_to(), shapes.Point.at_origin().x],
        [shapes.split_in_two("abcd", split_at=1), shapes.splitInTwo("abcd")],
        [shapes.sum(), shapes.sum(1, 2.5), shapes.lambda_(in_=2, from_=1), shapes.late(None, second=1)],
        [shapes.with_options(), shapes.with_options(c=True, a=4), shapes.origin(False), shapes.origin(True).y],
        [shapes.double_byte(255), await shapes.count_later(b"abc"), shapes.call_back(lambda count: "x" * int(count))],
        [str(caught(lambda: shapes.make_shape([]))), type(caught(lambda: shapes.Shape())).__name__],
    ]


@pytest.mark.parametrize("build", BUILDS)
def test_calls_by_python_names(py, build):
    """Keywords, defaults and rest arguments reach the right parameters in Rust."""
    assert py.run(values, build=build) == [
        [2.5, 2.5, [3, 1], "x"],
        [5, 0],
        [["a", "bcd"], ["ab", "cd"]],
        [0, 3.5, 12, 101],
        ["None None None None None", "(4) None (true) None None", None, 0],
        [510, 3, "xxx"],
        ["a shape needs corners", "TypeError"],
    ]


async def looks(build):
    import warnings

    import unpanic

    shapes = await load(build, "shapes", panic_hook=lambda _: None, types=TYPES if build in NAMESPACES else None)
    point = shapes.Point(3, 4)
    empty = shapes.empty_shape()
    found = [repr(point), repr(shapes.make_shape([shapes.Point(0, 0)]))]
    inside = []
    shapes.call_back(lambda _: inside.append(repr(point)) or "")
    found.append(inside)
    crashing = repr(empty)
    found.append(crashing)
    generation = unpanic.status(shapes).generation
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found.append([repr(point), repr(empty)])
    status = unpanic.status(shapes)
    found.append([len(warned), status.generation - generation, status.crashes])
    with shapes.make_shape([shapes.Point(1, 1)]) as shape:
        shape.into_text()
        found.append([repr(shape), str(caught(lambda: shape.line_width))])
    found.append(repr(shape))
    unpanic.unload(shapes)
    found.append(repr(point))
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_objects_show_their_values(py, build):
    """No values of a dead object, or while Rust runs. A getter that crashes is named once, and costs nothing."""
    fields_only = build in NAMESPACES
    found = py.run(looks, build=build)
    assert found == [
        "<shapes.Point x=3.0 y=4.0>",
        "<shapes.Shape …>" if fields_only else "<shapes.Shape corner_count=1 fill=<Fill.Empty: 0> line_width=1.0>",
        ["<shapes.Point …>"],
        "<shapes.Shape …>" if fields_only else "<shapes.Shape corner_count=RustPanic>",
        [
            "<shapes.Point x=3.0 y=4.0>",
            "<shapes.Shape …>" if fields_only else "<shapes.Shape fill=<Fill.Empty: 0> line_width=1.0 …>",
        ],
        [0, 0, {}],
        [
            "<shapes.Shape moved into shapes.Shape.into_text>",
            "This shapes.Shape was moved into shapes.Shape.into_text, which consumed it; it cannot be used in "
            "shapes.Shape.line_width.",
        ],
        "<shapes.Shape moved into shapes.Shape.into_text, which consumed it>",
        "<shapes.Point unloaded>",
    ]


async def subclass(build):
    import warnings

    import unpanic

    shapes = await load(build, "shapes", panic_hook=lambda _: None, types=TYPES if build in NAMESPACES else None)

    class Named(shapes.Point):
        def __init__(self, name, *, x):
            super().__init__(x, y=1)
            self.name = name

        @property
        def x(self):
            return super().x * 10

        def distance_to(self, other=None):
            return round(super().distance_to(other))

    named = Named("peak", x=3)
    shape = shapes.make_shape([Named("corner", x=1)])
    found = [named.x, named.distance_to(), named.name, isinstance(named, shapes.Point), shape.corner_count]
    shape.free()
    caught(lambda: shapes.empty_shape().corner_count)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found += [named.x, type(named) is Named, named.name]
    return [found, [warning.category.__name__ for warning in warned], unpanic.status(shapes).crashes]


@pytest.mark.parametrize("build", BUILDS)
def test_subclasses(py, build):
    """A subclass has its own arguments and members, goes into Rust as its base class, and survives a reset."""
    found, warned, crashes = py.run(subclass, build=build)
    assert found == [30, 3, "peak", True, 1, 30, True, "peak"]
    assert warned == ([] if build == "unwind" else ["StateLostWarning"])
    assert crashes == {"panic": 1}


async def missing_types(types):
    import unpanic

    try:
        shapes = await unpanic.load("/fixtures/shapes/pkg/abort/shapes.js", types=types)
    except unpanic.LoadError as error:
        return [type(error).__name__, str(error)]
    return ["", str(shapes.split_in_two.__doc__)]


def test_types_that_cannot_be_read(py):
    """A file of types that the user names must exist and declare something."""
    kind, text = py.run(missing_types, types="/fixtures/shapes/pkg/abort/no.d.ts")
    assert (kind, "404" in text) == ("FetchError", True)
    kind, text = py.run(missing_types, types="/tests/host.html")
    assert (kind, "holds no TypeScript declarations: it begins with '<!doctype" in text) == ("LoadError", True)
    kind, text = py.run(missing_types, types=TYPES)
    assert (kind, text.split("\n")[0]) == ("", "Splits a text in two.")


async def without_types(build):
    import inspect

    shapes = await load(build, "shapes")
    return [str(inspect.signature(shapes.double_byte)), hasattr(shapes, "Size"), shapes.larger(1, 2), shapes.sum(1, 2)]


def test_an_imported_namespace_has_no_types_of_its_own(py):
    """`load` fetches no types that nobody named, and calls still work."""
    signature, has_size, *results = py.run(without_types, build="native")
    assert signature in ("(byte: Any) -> Any", "(byte: Any = None) -> Any")
    assert not has_size
    assert results == [2, 3]


async def look_at_what_breaks(build):
    import logging
    import pprint
    import rlcompleter

    import unpanic

    heard = []
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger = logging.getLogger("unpanic")
    logger.addHandler(handler)
    dials = await load(build, "dials", panic_hook=heard.append)
    unpanic.on_reset(dials, lambda *_: heard.append("reset"))
    dial = dials.Dial(-0.0, "é", None)
    calls = unpanic.status(dials).calls
    objects = [dial, *(dials.Broken(how) for how in ("panic", "trap", "overflow", "throw", "err"))]
    made = unpanic.status(dials).calls - calls
    texts, completions = [], []
    for thing in objects:
        texts.append([repr(thing), pprint.pformat(thing), f"{thing!r}"])
        completer = rlcompleter.Completer({"thing": thing})
        completions.append(completer.complete("thing.r", 0))
        unpanic.status(dials)._repr_html_()
    status = unpanic.status(dials)
    logger.removeHandler(handler)
    unchanged = [heard, records, status.generation, status.crashes, dial.reads]
    return texts, completions, unchanged, status.calls - calls - made


@pytest.mark.parametrize("build", BUILDS)
def test_looking_changes_nothing(py, build):
    """`repr`, cards and completion read getters that crash or change their object, and change nothing."""
    texts, completions, unchanged, calls = py.run(look_at_what_breaks, build=build)
    assert unchanged == [[], [], 0, {}, 1]
    assert completions == ["thing.reads", *["thing.reading"] * 5]
    if build in NAMESPACES:
        assert texts == [["<dials.Dial value=-0.0 …>"] * 3, *([["<dials.Broken …>"] * 3] * 5)]
        return
    assert calls == 0
    dial, *broken = texts
    assert (
        dial
        == ["<dials.Dial value=-0.0 label='é' note=None called=None cost=4194304 letters=b'\\xc3\\xa9' reads=1 …>"] * 3
    )
    assert broken[0] == ["<dials.Broken how='panic' reading=RustPanic>", *["<dials.Broken how='panic' …>"] * 2]
    assert [texts[0] for texts in broken[1:]] == [
        f"<dials.Broken how={how!r} …>" for how in ("trap", "overflow", "throw", "err")
    ]


async def looked_at_with_callbacks(build):
    import unpanic

    dials = await load(build, "dials", panic_hook=lambda _: None)
    done = []

    def interrupt():
        done.append("interrupt")
        raise KeyboardInterrupt

    def end():
        done.append("unload")
        unpanic.unload(dials)

    def start_anew():
        done.append("reset")
        unpanic.reset(dials)

    looks = [repr(dials.Dial(1.0, "x", function)) for function in (interrupt, end, start_anew)]
    status = unpanic.status(dials)
    return [done, [look.startswith("<dials.Dial") for look in looks], status.phase, status.generation, status.crashes]


@pytest.mark.parametrize("build", BUILDS)
def test_looking_calls_nobody_back(py, build):
    """A getter that calls a Python function is not read, so looking at an object has no other effect."""
    assert py.run(looked_at_with_callbacks, build=build) == [[], [True] * 3, "ready", 0, {}]
