"""Wrong arguments are refused in Python's own words, before anything reaches Rust."""

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])

# the call, its arguments, the message
COUNTS = [
    ("add", [], "add() missing 2 required positional arguments: 'a' and 'b'"),
    ("add", [1], "add() missing 1 required positional argument: 'b'"),
    ("add", [1, 2, 3], "add() takes 2 positional arguments but 3 were given"),
    ("bump", [1], "bump() takes 0 positional arguments but 1 was given"),
    ("echo_i64", [], "echo_i64() missing 1 required positional argument: 'value'"),
    ("echo_string", ["a", "b"], "echo_string() takes 1 positional argument but 2 were given"),
    ("wait_text", [], "wait_text() missing 2 required positional arguments: 'ms' and 'text'"),
    ("echo_option_string", ["a", "b"], "echo_option_string() takes from 0 to 1 positional arguments but 2 were given"),
    ("Thing", [], "Thing.__init__() missing 1 required positional argument: 'value'"),
    ("Thing", [1, 2], "Thing.__init__() takes 2 positional arguments but 3 were given"),
    ("Thing.make", [], "Thing.make() missing 1 required positional argument: 'value'"),
    ("thing.consume", [1], "Thing.consume() takes 1 positional argument but 2 were given"),
    ("thing.with_callback", [], "Thing.with_callback() missing 1 required positional argument: 'f'"),
]


def wrong_types():
    """Returns rows of call, arguments, class and message."""
    no_integer = "TypeError", "'{}' object cannot be interpreted as an integer"
    rows = []
    for name in ("echo_i32", "echo_u8", "echo_i64", "echo_u64", "echo_option_i32"):
        for value in ("1", 1.5, b"1", [1], 1j, object()):
            rows.append((name, [value], no_integer[0], no_integer[1].format(type(value).__name__)))
    rows += [(name, [None], no_integer[0], no_integer[1].format("NoneType")) for name in ("echo_i32", "echo_i64")]
    rows += [("echo_i64", [2.5], no_integer[0], no_integer[1].format("float"))]
    texts = ["echo_string", "string_len", "echo_option_string", "echo_char"]
    rows += [(name, [5], "TypeError", "must be str, not int") for name in texts]
    rows += [(name, [b"x"], "TypeError", "must be str, not bytes") for name in texts]
    rows += [("echo_string", [None], "TypeError", "must be str, not NoneType")]
    rows += [("echo_char", ["ab"], "TypeError", "must be a single character, not a string of length 2")]
    rows += [("echo_char", [""], "TypeError", "must be a single character, not a string of length 0")]
    rows += [(name, ["a\ud800"], "UnicodeEncodeError", "surrogates not allowed") for name in texts[:3]]
    rows += [("echo_f64", ["1"], "TypeError", "must be a real number, not str")]
    rows += [("echo_f64", [1j], "TypeError", "not 'complex'"), ("echo_f64", [None], "TypeError", "not 'NoneType'")]
    rows += [("echo_f64", [10**400], "OverflowError", "int too large to convert to float")]
    rows += [("echo_bool", [1], "TypeError", "must be bool, not int"), ("echo_bool", [""], "TypeError", "not str")]
    rows += [("echo_bool", [None], "TypeError", "must be bool, not NoneType")]
    for name in ("echo_bytes", "sum_bytes"):
        rows += [(name, ["text"], "TypeError", "must be a sequence of numbers, not str")]
        rows += [(name, [5], "TypeError", "must be a sequence of numbers, not int")]
        rows += [(name, [None], "TypeError", "not NoneType"), (name, [["a"]], "TypeError", "str")]
        rows += [
            (name, [[256]], "OverflowError", "element 0: 256 does not fit a u8 (0 to 255)"),
            (name, [[-1]], "OverflowError", "-1 does"),
        ]
    rows += [("echo_vec_f64", [["1"]], "TypeError", "str"), ("echo_vec_f64", ["1"], "TypeError", "not str")]
    rows += [("echo_vec_string", [["a", 1]], "TypeError", "must be str, not int")]
    rows += [("echo_vec_string", ["ab"], "TypeError", "must be a sequence of str, not str")]
    rows += [("call", [value], "TypeError", f"must be callable, not {type(value).__name__}") for value in (None, "f")]
    rows += [
        ("next_color", [7], "ValueError", "7 is not a valid Color"),
        ("next_color", ["Red"], "ValueError", "Color"),
    ]
    rows += [("consume_thing", [5], "TypeError", "must be faults.Thing, not int")]
    rows += [("consume_thing", [None], "TypeError", "must be faults.Thing, not NoneType")]
    rows += [("sum", ["thing", "fragile"], "TypeError", "must be faults.Thing, not FragileDrop")]
    rows += [("echo_js_value", [object()], "TypeError", "cannot pass 'object' to Rust")]
    rows += [("echo_js_value", [[1, [object()]]], "TypeError", "cannot pass 'object' to Rust")]
    rows += [("echo_js_value", [{(1, 2): 3}], "TypeError", "key")]
    rows += [("wait", ["1"], *no_integer[:1], "'str' object cannot be interpreted as an integer")]
    return rows


def overflows():
    """Returns rows of call and argument: one beyond each limit, and far beyond it."""
    far = [2**53, 2**64, -(2**64), 10**30]
    rows = [
        (name, value) for name in ("echo_i32", "echo_u32", "echo_i8", "add") for value in (2**32, -(2**31) - 1, *far)
    ]
    rows += [(name, value) for name in ("echo_i64", "echo_u64") for value in (2**64, -(2**63) - 1, 10**30, -(10**30))]
    rows += [("echo_option_i32", value) for value in (2**31, -(2**31) - 1, *far)]
    rows += [("Thing", 2**32), ("Thing.make", -(2**40)), ("wait", 2**32), ("fill_value", 2**40)]
    return rows


def resolve(faults, thing, name):
    """Returns a function of the module, of a class in it, or of an object."""
    owner, _, member = name.rpartition(".")
    return getattr({"": faults, "Thing": faults.Thing, "thing": thing}[owner], member)


def report(faults, error):
    """Returns what a call raised, and whether nothing has crashed and calls of each kind still work."""
    import unpanic

    works = [faults.add(1, 2), faults.echo_string("é"), unpanic.status(faults).generation]
    return [type(error).__name__, str(error), works == [3, "é", 0], isinstance(error, unpanic.UnpanicError)]


async def call_with_counts(build):
    faults = await load(build)
    thing = faults.Thing(1)
    found = [report(faults, caught(resolve(faults, thing, name), *args)) for name, args, _ in COUNTS]
    thing.free()
    return found


@EACH_BUILD
def test_count(py, build):
    """Too few or too many arguments raise a TypeError in Python's words, and nothing crashes."""
    found = py.run(call_with_counts, build=build)
    assert found == [["TypeError", message, True, False] for *_, message in COUNTS]


async def call_with_types(build):
    faults = await load(build)
    objects = {"thing": faults.Thing(1), "fragile": faults.FragileDrop()}
    found = []
    for name, args, *_ in wrong_types():
        given = [objects.get(value, value) if isinstance(value, str) else value for value in args]
        found.append(report(faults, caught(getattr(faults, name), *given)))
    caught(objects["fragile"].free)
    return found


@EACH_BUILD
def test_type(py, build):
    """The refusal of a wrong type names the function and the parameter, and nothing crashes."""
    wrong = []
    for (name, args, error, words), found in zip(wrong_types(), py.run(call_with_types, build=build), strict=True):
        kind, message, works, is_own = found
        named = message.startswith(f"{name}() argument ") or error == "UnicodeEncodeError"
        if (kind, works, is_own, named) != (error, True, False, True) or words not in message:
            wrong.append((name, repr(args), found))
    assert wrong == []


async def call_with_javascript_values(build):
    from pyodide.code import run_js

    faults = await load(build)
    calls = [
        ("echo_bytes", "new Date(0)"), ("echo_bytes", "({})"), ("echo_bytes", "new Float64Array([1.5])"),
        ("echo_bytes", "new Int8Array([-1])"), ("echo_vec_f64", "['a']"), ("echo_vec_string", "[1]"),
        ("echo_string", "new String('a')"), ("echo_i32", "({})"), ("echo_bool", "[]"), ("call", "({})"),
        ("consume_thing", "({})"), ("echo_i32", "({ get a() { throw new Error('getter'); } })"),
    ]  # fmt: skip
    found = [report(faults, caught(getattr(faults, name), run_js(value))) for name, value in calls]
    return [[error, works, is_own] for error, _, works, is_own in found]


@EACH_BUILD
def test_javascript_value_of_a_wrong_type(py, build):
    """A JavaScript object of a wrong type is refused like a Python one."""
    found = py.run(call_with_javascript_values, build=build)
    expected = ["TypeError"] * 12
    expected[3] = "OverflowError"
    assert found == [[error, True, False] for error in expected]


async def call_with_overflows(build):
    faults = await load(build)
    thing = faults.Thing(1)
    found = []
    for name, value in overflows():
        if name == "fill_value":
            error = caught(setattr, thing, "value", value)
        else:
            args = (1, value) if name == "add" else (value,)
            error = caught(resolve(faults, None, name), *args)
        found.append(report(faults, error))
    return [found, thing.value]


@EACH_BUILD
def test_overflow(py, build):
    """An integer that does not fit raises an OverflowError with its value and the range; it never wraps around."""
    found, untouched = py.run(call_with_overflows, build=build)
    wrong = [
        (name, value, outcome)
        for (name, value), outcome in zip(overflows(), found, strict=True)
        if outcome[:1] + outcome[2:] != ["OverflowError", True, False] or f"{value} does not fit a" not in outcome[1]
    ]
    assert (wrong, untouched) == ([], 1)


async def call_with_what_fits(build):
    faults = await load(build)
    thing = faults.Thing(1)
    other = faults.Thing(2)
    thing.value = 2**31 - 1
    return [
        faults.add(a := 1, -2), faults.add(True, 2), faults.echo_i64(2**63 - 1) == 2**63 - 1, faults.echo_char("é"),
        [faults.sum_bytes(value) for value in ([1, 255], (1, 255), b"\1\xff")], faults.next_color(2).name,
        thing.value == 2**31 - 1, faults.sum(other, other), faults.consume_thing(thing), faults.echo_option_i32(), a,
    ]  # fmt: skip


@EACH_BUILD
def test_what_fits(py, build):
    """The same functions accept the values that fit."""
    found = py.run(call_with_what_fits, build=build)
    assert found == [-1, 3, True, "é", [256, 256, 256], "Red", True, 4, 2**31 - 1, None, 1]


class Index:
    """An integer of another class, like those of NumPy."""

    def __index__(self):
        return 5


class Real:
    """A real number of another class, like Fraction."""

    def __float__(self):
        return 2.5


async def call_with_number_likes(build):
    import fractions

    faults = await load(build)
    integers = [getattr(faults, f"echo_{kind}")(Index()) for kind in ("i32", "u8", "i64", "u64", "option_i32")]
    floats = [faults.echo_f64(value) for value in (Real(), fractions.Fraction(1, 4), Index())]
    whole = [faults.echo_i32(2.0), type(faults.echo_i32(2.0)).__name__]
    return [integers, floats, whole]


@EACH_BUILD
def test_numbers_of_other_classes(py, build):
    """Rust gets values with `__index__` or `__float__`. An i32 also takes a whole float, as JavaScript does."""
    assert py.run(call_with_number_likes, build=build) == [[5] * 5, [2.5, 0.25, 5.0], [2, "int"]]


class Ending:
    """An integer that ends its module when its value is read."""

    def __init__(self, end, module):
        self.end = end
        self.module = module

    def __index__(self):
        self.end(self.module)
        return 5


async def call_with_endings(build):
    import unpanic

    found = []
    for name, more in (("add", (1,)), ("echo_u8", ()), ("echo_i64", ())):
        faults = await load(build)
        error = caught(getattr(faults, name), Ending(unpanic.unload, faults), *more)
        found.append(type(error).__name__)
    faults = await load(build)
    again = faults.add(Ending(unpanic.reset, faults), 1)
    return found, again, unpanic.status(faults).generation


@EACH_BUILD
def test_an_argument_that_ends_the_module(py, build):
    """The call says that the module has ended; after a reset it runs in the next generation."""
    assert py.run(call_with_endings, build=build) == [["ModuleTerminated"] * 3, 6, 1]


async def call_with_keywords(build):
    from pyodide.code import run_js

    faults = await load(build)
    with faults.Thing(value=7) as thing:
        right = [
            faults.add(1, b=2), faults.add(b=2, a=1), faults.echo_string(value="x"), faults.echo_f64(value=2),
            thing.value, faults.bump(), await faults.wait(ms=1),
        ]  # fmt: skip
        calls = [
            lambda: faults.add(1, c=2), lambda: faults.add(1, 2, b=3), lambda: faults.echo_string(valu="x"),
            lambda: faults.Thing(val=1), lambda: thing.consume(now=True), lambda: faults.bump(x=1),
            lambda: faults.wait(s=1), lambda: faults.add(1, b="2"), lambda: faults.add(a=1),
            lambda: faults.add(1, run_js("[2]")), lambda: faults.add(1, run_js("({ c: 2 })")),
        ]  # fmt: skip
        return [right, [report(faults, caught(call))[:3] for call in calls]]


KEYWORDS = [
    "add() got an unexpected keyword argument 'c'",
    "add() got multiple values for argument 'b'",
    "echo_string() got an unexpected keyword argument 'valu'. Did you mean 'value'?",
    "Thing.__init__() got an unexpected keyword argument 'val'. Did you mean 'value'?",
    "Thing.consume() got an unexpected keyword argument 'now'",
    "bump() got an unexpected keyword argument 'x'",
    "wait() got an unexpected keyword argument 's'. Did you mean 'ms'?",
    "add() argument 'b': 'str' object cannot be interpreted as an integer",
    "add() missing 1 required positional argument: 'b'",
    "add() argument 'b': 'list' object cannot be interpreted as an integer",
    "add() got an unexpected keyword argument 'c'",
]


@EACH_BUILD
def test_keywords(py, build):
    """Functions, also those of plain numbers, take arguments by name; wrong names raise Python's TypeError."""
    right, wrong = py.run(call_with_keywords, build=build)
    assert right == [3, 3, "x", 2.0, 7, 1, 1]
    for (kind, message, works), expected in zip(wrong, KEYWORDS, strict=True):
        assert [kind, works] == ["TypeError", True]
        assert message.split(". Did")[0] == expected.split(". Did")[0]


async def nest(levels):
    faults = await load("abort")
    value = []
    for _ in range(levels):
        value = [value]
    error = caught(faults.echo_js_value, value)
    return type(error).__name__, str(error), faults.add(2, 3)


def test_what_is_nested_too_deeply_does_not_end_the_interpreter(py):
    """Too deep a value raises a clear error instead of a fatal one, and a less deep value arrives."""
    # With many more levels, Python 3.13 itself overflows the stack when it frees the list.
    kind, text, five = py.run(nest, levels=1_100)
    assert (kind, five) == ("ValueError", 5)
    assert text == "echo_js_value() argument 'value': nested more than 1,000 levels deep"
    assert py.run(nest, levels=900)[0] == "NoneType"
