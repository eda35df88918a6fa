"""Values whose declared types decide the conversion, and property names that have a meaning in JavaScript."""

import pytest

from tests.browser.builds import caught, load

# The call, and the value that Rust sees.
SEEN = {
    "as_map({'a': 1})": "Map(a: 1)",
    "as_map({})": "Map()",
    "as_map({'a': {'b': 1}})": "Map(a: {b: 1})",
    "as_map_of_maps({'a': {'b': 1}})": "Map(a: Map(b: 1))",
    "as_map(Point(1, 2))": "Map(x: 1, y: 2)",
    "as_record({1: 2, 'a': 3})": "{1: 2, a: 3}",
    "as_record({})": "{}",
    "as_set([1, 2])": "Set(1, 2)",
    "as_set({1})": "Set(1)",
    "as_list({1})": "[1]",
    "as_list((1, 2))": "[1, 2]",
    "as_list(b'ab')": "[97, 98]",
    "as_list(array('d', [0.5]))": "[0.5]",
    "as_readonly_list([{'a': 1}])": "[Map(a: 1)]",
    "as_pair((1, {'a': 1}))": "[1, Map(a: 1)]",
    "as_either({'a': 1})": "Map(a: 1)",
    "as_either(3)": "3",
    "as_maybe_map(None)": "undefined",
    "as_maybe_map({'a': 1})": "Map(a: 1)",
    "as_map_or_object({'a': 1})": "{a: 1}",
    "as_map_or_object({1: 1})": "Map(1: 1)",
    "as_object({1: 1})": "{1: 1}",
    "as_limits({'a': 1})": "Map(a: 1)",
    "as_tree([1, {'a': [{'b': 1}]}])": "[1, Map(a: [Map(b: 1)])]",
    "as_box({'item': {'a': 1}})": "{item: Map(a: 1)}",
    "as_date(time)": "Date(1767225600000)",
    "as_bytes_or_text([1, 2])": "Uint8Array(1, 2)",
    "as_bytes_or_text('text')": "text",
    "as_bytes_or_text(b'a')": "Uint8Array(97)",
    "as_unknown({'a': 1})": "{a: 1}",
    "as_unknown({1: 1})": "Map(1: 1)",
    "as_unknown({'a': {1}})": "{a: Set(1)}",
    "as_options({'names': {'n': 'x'}, 'limits': {'a': 1}})": "{names: Map(n: x), limits: Map(a: 1)}",
    "as_options({'limits': {}, 'tags': ['t'], 'when': time, 'data': [1, 2]})":
        "{limits: Map(), tags: Set(t), when: Date(1767225600000), data: Uint8Array(1, 2)}",
    "as_options({'weights': array('d', [0.5]), 'plain': b'ab', 'pair': ['x', {'a': 1}]})":
        "{weights: Float32Array(0.5), plain: [97, 98], pair: [x, Map(a: 1)]}",
    "as_options({'by_number': {1: 'a'}, 'size': 5, 'free': {'x': {'y': 1}}})":
        "{by_number: {1: a}, size: 5n, free: {x: {y: 1}}}",
    "as_options({'inner': {'limits': {'b': 2}}, 'each': [{'k': {'limits': {'c': 1}}}]})":
        "{inner: {limits: Map(b: 2)}, each: [Map(k: {limits: Map(c: 1)})]}",
    "as_options({'unheard of': {'a': 1}})": "{unheard of: {a: 1}}",
    "as_levels([{'kind': 'map', 'value': {'a': 1}}, {'kind': 'record', 'value': {'a': 1}}])":
        "[{kind: map, value: Map(a: 1)}, {kind: record, value: {a: 1}}]",
    "sizes({'a': 1}, [1, 2]).tolist()": [1, 2],
    "Store({'a': 1}).seen": "Map(a: 1)",
    "loaded(Store({}), ['n'], {'a': 1})": "Set(n) Map(a: 1)",
    "loaded(Store({}))": "undefined undefined",
}  # fmt: skip


async def see(build, calls, types):
    import datetime
    import re
    from array import array
    from collections import namedtuple
    from dataclasses import make_dataclass

    lists = await load(build, "lists", types=types)

    def loaded(store, *args):
        store.load(*args)
        return store.seen

    # Rust writes numbers and absent values in parentheses.
    scope = {
        **vars(lists), "array": array, "time": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "loaded": loaded,
        "Point": make_dataclass("Point", ["x", "y"]), "Named": namedtuple("Named", "a"),
    }  # fmt: skip
    found = {}
    for call in calls:
        try:
            seen = eval(call, scope)
            found[call] = re.sub(r"(?<!\w)\(([\w.]+)\)", r"\1", seen) if isinstance(seen, str) else seen
        except Exception as error:
            found[call] = repr(error)
    return found


@pytest.mark.parametrize("build", ["abort", "unwind", "native"])
def test_declared_types_decide(py, build):
    """A declared type decides what a dict, a list, a set or a buffer becomes. Otherwise the Python type decides."""
    types = "/fixtures/lists/pkg/reset/lists.d.ts" if build == "native" else None
    assert py.run(see, build=build, calls=list(SEEN), types=types) == SEEN


async def refuse_declared():
    from array import array

    lists = await load("abort", "lists")
    calls = [
        (lists.as_record, {None: 1}), (lists.as_record, {True: 1}), (lists.as_map, {(1, 2): 1}),
        (lists.as_bytes_or_text, [256]), (lists.as_options, {"data": ["x"]}),
        (lists.as_options, {"data": array("d", [1])}), (lists.as_map, {"a": object()}),
    ]  # fmt: skip
    return [str(caught(function, value)) for function, value in calls]


def test_what_no_declared_type_takes(py):
    """A value that fits no declared type is refused with the argument's name, before the call."""
    found = py.run(refuse_declared)
    assert all(text.startswith("as_") and " argument '" in text for text in found)
    assert [text.split(": ", 1)[1] for text in found] == [
        "cannot use None as the name of a property: the declared type is an object, not a Map",
        "cannot use True as the name of a property: the declared type is an object, not a Map",
        "cannot use a key of type 'tuple' in JavaScript: only texts and numbers",
        "element 0: 256 does not fit a u8 (0 to 255)",
        "'str' object cannot be interpreted as an integer",
        "must hold integers, not floats (format 'd')",
        "cannot pass 'object' to Rust",
    ]


NAMES = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "then", "toJSON", "length", "name", ""]


async def pass_names(build, names):
    import dataclasses

    lists = await load(build, "lists")
    wrong = []
    for name in names:
        inner = {name: {"admin": True}, "a": 1}
        own = f"{{{name}: {{admin: (true)}}, a: (1)}}"
        ways = [
            (inner, own), ({1: 2, "x": inner}, f"Map((1): (2), x: {own})"),
            ([inner, {3: 4}], f"[{own}, Map((3): (4))]"),
        ]  # fmt: skip
        wrong += [[name, value, lists.own_keys(value)] for value, seen in ways if lists.own_keys(value) != seen]
        cycle = {"self": None, name: 1}
        cycle["self"] = cycle
        back = lists.object_of(["cycle"], [cycle])["cycle"]
        if back["self"] is not back or back[name] != 1:
            wrong.append([name, "cycle"])
        if lists.own_keys_of_result(lambda value=inner: value) != own:
            wrong.append([name, "out of a callback"])
        if name.isidentifier():
            record = dataclasses.make_dataclass("Record", [name])({"admin": True})
            if lists.own_keys(record) != f"{{{name}: {{admin: (true)}}}}":
                wrong.append([name, "record", lists.own_keys(record)])
        out = lists.object_of([name, "a", "deep"], [5, None, {"inner": [{name: 6}]}])
        if out != {name: 5, "a": None, "deep": {"inner": [{name: 6}]}}:
            wrong.append([name, "out", repr(out)])
    # A function or a method of that name does not make its owner a promise.
    for value in ({"then": len}, {1: len, "then": len}, [{"then": len}]):
        seen = [lists.own_keys(value), lists.own_keys_of_result(lambda value=value: value)]
        if not all("then: (Function" in text for text in seen):
            wrong.append(["a function", seen])
    chains = [lists.own_keys(lists.Chain()), lists.own_keys_of_result(lists.Chain), lists.own_keys([lists.Chain()])]
    if not all("other{__wbg_ptr: " in text for text in chains):
        wrong.append(["a method", chains])
    user = {"name": "ada", "__proto__": {"admin": True}}
    return [wrong, lists.read_user(user), lists.own_keys({1: user})]


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_properties_have_any_name(py, build):
    """In both directions and at any place, each name is an own property of the object."""
    own = "Map((1): {name: ada, __proto__: {admin: (true)}})"
    assert py.run(pass_names, build=build, names=NAMES) == [[], "ada false", own]


async def pass_enums(build):

    lists = await load(build, "lists")
    found = [
        lists.colors(),
        lists.echo_colors([lists.Color.Green, 6]),
        lists.maybe_colors(True),
        await lists.colors_later(),
    ]
    kinds = [[type(item) is lists.Color for item in items] for items in found]
    sizes = lists.echo_sizes(["small", lists.Size.Large])
    errors = [caught(lists.echo_colors, value) for value in ([7], ["Red"], 3)] + [caught(lists.echo_sizes, ["huge"])]
    return [
        [[item.name for item in items] for items in found], kinds,
        [[size.name, type(size) is lists.Size] for size in sizes], lists.maybe_colors(False),
        [f"{type(error).__name__}: {error}" for error in errors],
    ]  # fmt: skip


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_lists_of_enums(py, build):
    """Rust returns members, and takes members and their values, but nothing else."""
    names, kinds, sizes, absent, errors = py.run(pass_enums, build=build)
    assert names == [["Red", "Blue"], ["Green", "Blue"], ["Red", "Blue"], ["Red", "Blue"]]
    assert kinds == [[True, True]] * 4
    assert (sizes, absent) == ([["Small", True], ["Large", True]], None)
    place = "echo_colors() argument 'colors': "
    assert errors == [
        f"ValueError: {place}7 is not a valid Color", f"ValueError: {place}'Red' is not a valid Color",
        f"TypeError: {place}must be a sequence of lists.Color, not int",
        "ValueError: echo_sizes() argument 'sizes': 'huge' is not a valid Size: it has 'small', 'large'",
    ]  # fmt: skip


async def use_names(build):
    lists = await load(build, "lists")
    chain = lists.chain()
    found = [
        chain.length,
        chain.then(4).length,
        lists.chain_as_value().length,
        [each.length for each in lists.chains()],
    ]
    found += [
        lists.length_of(lists.chain_as_value()),
        lists.describe(lists.Chain()) != "",
        lists.Chain().then(more=1).length,
    ]
    found += [getattr(lists, "None")(3), lists.none(4), lists.True_(2).name, lists.True_.None_.value]
    return [*found, type(lists.chain_as_value()) is lists.Chain]


@pytest.mark.parametrize("build", ["abort", "unwind", "native"])
def test_names_that_mean_something_else(py, build):
    """A class with a method `then` is no promise, and an export named `None` gets a name that Python allows."""
    assert py.run(use_names, build=build) == [3, 7, 4, [3, 5], 4, True, 2, 3, 4, "None_", 2, True]


async def misspell():
    import traceback

    lists = await load("abort", "lists")
    env = lists.Environment()
    found = []
    for name, value in (("trimblocks", True), ("version", 2), ("free", 3)):
        error = caught(setattr, env, name, value)
        found.append([type(error).__name__, "".join(traceback.format_exception_only(error)).strip()])
    env.trim_blocks = True

    class Mine(lists.Environment):
        """A subclass with an attribute of its own."""

        def __init__(self):
            super().__init__()
            self.note = "mine"

    mine = Mine()
    mine.trim_blocks = True
    return [found, env.trim_blocks, mine.note, mine.trim_blocks]


def test_a_misspelt_setter_is_no_secret(py):
    """An attribute without a setter raises an AttributeError with a hint; subclasses may have their own attributes."""
    found, *works = py.run(misspell)
    assert found == [
        [
            "AttributeError",
            "AttributeError: 'Environment' object has no attribute 'trimblocks'. Did you mean: 'trim_blocks'?",
        ],
        ["AttributeError", "AttributeError: property 'version' of 'Environment' object has no setter"],
        ["AttributeError", "AttributeError: 'Environment' object attribute 'free' is read-only"],
    ]
    assert works == [True, "mine", True]


async def copy_after_a_crash(build):
    import copy
    import dataclasses
    import pickle
    import traceback

    import unpanic

    lists = await load(build, "lists", panic_hook=lambda _: None)
    crash = caught(lists.boom)
    status = unpanic.status(lists)
    copies = [
        dataclasses.asdict(status)["last_crash"], copy.deepcopy(status).last_crash, pickle.loads(pickle.dumps(crash)),
        copy.copy(crash), pickle.loads(pickle.dumps(status)).last_crash,
    ]  # fmt: skip
    unpanic.reset(lists)
    same = [
        [type(each) is type(crash), str(each) == str(crash), each.frames == crash.frames,
         each.location == crash.location, each.javascript_stack == crash.javascript_stack]
        for each in copies
    ]  # fmt: skip
    shown = [crash.frames[0].function in "".join(traceback.format_exception(each)) for each in copies]
    return [same, shown, len(crash.frames) > 0]


@pytest.mark.parametrize("build", ["abort", "unwind"])
def test_a_status_after_a_crash_is_plain_data(py, build):
    """`dataclasses.asdict`, `copy` and `pickle` accept it, and the crash keeps its frames and its stack."""
    same, shown, has_frames = py.run(copy_after_a_crash, build=build)
    assert same == [[True] * 5] * 5
    assert shown == [True] * 5
    assert has_frames


async def give_numbers(build):
    lists = await load(build, "lists")
    values = await load(build, "values")
    integers = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "i128", "u128", "isize", "usize"]
    whole = {kind: getattr(values, f"echo_{kind}")(2.0) for kind in integers}
    whole |= {f"named {kind}": getattr(values, f"named_{kind}")(2.0) for kind in (*integers[:10], "usize")}
    errors = {}
    for kind in integers:
        for value in (1.5, float("inf"), float("nan"), 10**5000, 1e300):
            error = caught(getattr(values, f"echo_{kind}"), value)
            errors.setdefault(kind, []).append(type(error).__name__)
    huge = caught(lists.add, 10**5000, 1)
    return [whole, errors, f"{type(huge).__name__}: {huge}", type(caught(lambda: lists.add(1, b=-(10**5000)))).__name__]


@pytest.mark.parametrize("build", ["abort", "native"])
def test_floats_and_integers_of_any_size(py, build):
    """Every integer type takes a float without a fraction, and an error can show an integer of any size."""
    whole, errors, huge, keyword = py.run(give_numbers, build=build)
    assert set(whole.values()) == {2}
    wrong = ["TypeError", "TypeError", "TypeError", "OverflowError", "OverflowError"]
    assert {kind: found for kind, found in errors.items() if found != wrong} == {}
    text = "add() argument 'a': an integer of 16,610 bits does not fit a 32-bit integer (-2147483648 to 4294967295)"
    assert (huge, keyword) == (f"OverflowError: {text}", "OverflowError")


async def ask_for_the_longest():
    import unpanic._bridge.browser
    import unpanic._values.numbers
    from pyodide.code import run_js

    lists = await load("abort", "lists")
    longest = unpanic._bridge.browser.current_browser().longest_text()
    fits = run_js("(length) => { try { return 'ab'.repeat(length / 2).length; } catch (error) { return error.name; } }")
    found = [fits(longest) == longest, fits(longest + 2), longest >= unpanic._values.numbers.SURELY_FITS]
    # Pretends that a text of this length may be too long, and that this engine's longest text has 1,000 characters.
    kept = unpanic._values.numbers.SURELY_FITS, unpanic._bridge.browser.current_browser()._longest_text
    unpanic._values.numbers.SURELY_FITS, unpanic._bridge.browser.current_browser()._longest_text = 900, 1000
    try:
        text = "ü" * 1000
        errors = [
            caught(lists.length, text + "x"),
            caught(lists.describe, [text + "x"]),
            caught(lists.describe, "🦀" * 901),
        ]
        found += [lists.length(text), lists.describe([text]) == f"[{text}]"]
    finally:
        unpanic._values.numbers.SURELY_FITS, unpanic._bridge.browser.current_browser()._longest_text = kept
    return [*found, [f"{type(error).__name__}: {error}" for error in errors]]


def test_a_text_beyond_the_engine(py):
    """The engine reports how long a text can be, and a longer text raises a ValueError."""
    fits, beyond, is_safe, length, listed, errors = py.run(ask_for_the_longest)
    assert (fits, is_safe, length, listed) == (True, True, 1000, True)
    assert beyond in ("RangeError", "InternalError")
    words = "text of {} UTF-16 units: this browser's longest has 1,000; pass it in parts"
    assert errors == [
        f"ValueError: length() argument 'text': {words.format('1,001')}",
        f"ValueError: describe() argument 'value': {words.format('1,001')}",
        f"ValueError: describe() argument 'value': {words.format('1,802')}",
    ]
