"""Data without a declared type, in both directions: containers, records, dates, and objects of the module in them."""

from tests.browser.builds import caught, load
from tests.places import builds

# Values are converted in the same way, however a build panics.
EACH_BUILD = builds("abort", long=["unwind"])


async def ask_classes(build):
    import collections
    import dataclasses
    import datetime
    import enum

    values = await load(build, "values")
    point = dataclasses.make_dataclass("Point", ["x", "y"], frozen=True, slots=True)
    pair = collections.namedtuple("Pair", "a b")
    colour = enum.Enum("Colour", {"RED": "red"})
    utc = datetime.UTC
    given = [
        None, True, 1, 0.5, 2**53, "é", b"x", bytearray(b"x"), [1], (1,), pair(1, 2), {"a": 1}, {}, {1: 2}, {1, 2},
        frozenset("a"), point(1, 2), colour.RED, datetime.datetime(2026, 1, 1, tzinfo=utc), len, values.Item(1),
        iter([]), {"a": {1: 2}},
    ]  # fmt: skip
    nested = [values.class_at([value], "0") for value in given]
    return [[values.class_of(value) for value in given], nested, values.class_at(given[-1], "a")]


CLASSES = [
    "undefined", "boolean", "number", "number", "bigint", "string", "Uint8Array", "Uint8Array", "Array", "Array",
    "Array", "Object", "Object", "Map", "Set", "Set", "Object", "string", "Date", "function", "Item", "Object",
    "Object",
]  # fmt: skip


@EACH_BUILD
def test_what_python_values_become(py, build):
    """Each Python type becomes its JavaScript type, alone and inside of a container."""
    direct, nested, inner = py.run(ask_classes, build=build)
    assert direct == CLASSES
    assert nested == CLASSES
    assert inner == "Map"


async def echo_data(build):
    import dataclasses
    import datetime
    import math

    values = await load(build, "values")
    inner = dataclasses.make_dataclass("Inner", ["y"], slots=True)
    outer = dataclasses.make_dataclass("Outer", ["x", "list"], frozen=True)
    time = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.UTC)
    zone = datetime.timezone(datetime.timedelta(hours=2))
    same = [
        [1, [2, {"a": [None, True, 0.5, 2**70, "é"]}]], {"a": {"b": {}}, "__proto__": 1}, {1: {"a": 2}, 2.5: [3]},
        {1, "a"}, [{1}], [math.inf, -math.inf], [b"x", [b""]], {"time": time}, [], {},
    ]  # fmt: skip
    found = [values.echo(value) == value for value in same]
    found.append(values.echo(outer(1, [inner({"z": inner(2)})])) == {"x": 1, "list": [{"y": {"z": {"y": 2}}}]})
    found.append(math.isnan(values.echo([math.nan])[0]))
    found.append(values.echo(time.astimezone(zone)) == time and values.echo(time).tzinfo is datetime.UTC)
    naive = datetime.datetime(2026, 7, 1, 12)
    found.append(values.echo(naive) == naive.astimezone())
    return found


@EACH_BUILD
def test_data_comes_back_as_it_went_in(py, build):
    """Data of any depth returns unchanged, with large integers, bytes, sets, dates and records in it."""
    assert py.run(echo_data, build=build) == [True] * 14


async def pass_cycles():
    import dataclasses

    values = await load("abort", "values")
    list_ = [1]
    list_.append(list_)
    dict_ = {"set": 1, "n": 1}
    dict_["self"], dict_["list"] = dict_, [dict_]
    mixed = {1: "x"}
    mixed["self"] = mixed
    record = dataclasses.make_dataclass("Record", ["me"])(None)
    record.me = record
    shared = {"s": 1}
    back = [values.echo(value) for value in (list_, dict_, mixed, record, [shared, shared])]
    rust = values.cycle()
    return [
        back[0][1] is back[0], back[1]["self"] is back[1], back[1]["list"][0] is back[1], back[2]["self"] is back[2],
        back[3]["me"] is back[3], back[4][0] is back[4][1], values.holds_itself(dict_, "self"), rust[0] is rust,
        rust[1]["self"] is rust[1], rust[1]["list"] is rust, [back[1]["set"], back[1]["n"]] == [1, 1],
    ]  # fmt: skip


def test_cycles(py):
    """A value that holds itself still does so on the other side, and a shared value stays shared."""
    assert py.run(pass_cycles) == [True] * 11


async def pass_objects(build):
    values = await load(build, "values")
    items = [values.Item(1), values.Item(2)]
    found = [[item.value for item in values.echo_items(items)], values.sum_items((values.Item(3), values.Item(4)))]
    errors = [caught(values.echo_items, value) for value in ([1], [values.Item(1), None], "ab", 3, values.Item(1))]
    found.append([str(error) for error in errors])
    item = values.Item(5)
    same = values.echo({"a": [item, {1: item}]})
    found.append([same["a"][0] is item, same["a"][1][1] is item, values.echo_option_item(None), item.value])
    everything = values.everything()
    inner = everything[1]
    found.append([
        type(inner["item"]).__name__, inner["item"].value, inner["nothing"], inner["missing"], inner["bytes"].hex(),
        list(inner["floats"]), await inner["promise"], inner["date"].isoformat(), everything[0]["function"](1),
        everything[0]["set"] == {1, "a"}, everything[0][1][0].value, everything[0][1][1]["item"] is inner["item"],
    ])  # fmt: skip
    return found


@EACH_BUILD
def test_objects_of_the_module_in_containers(py, build):
    """They are objects of their class on both sides. A list of anything else is refused before the call."""
    items, total, errors, same, everything = py.run(pass_objects, build=build)
    place = "echo_items() argument 'values': "
    assert (items, total) == ([1, 2], 7)
    assert errors == [
        f"{place}element 0 must be values.Item, not int", f"{place}element 1 must be values.Item, not NoneType",
        f"{place}must be a sequence of values.Item, not str", f"{place}must be a sequence of values.Item, not int",
        f"{place}must be a sequence of values.Item, not Item",
    ]  # fmt: skip
    assert same == [True, True, None, 5]
    expected = ["Item", 5, None, None, "0102", [0.5], 7, "1970-01-01T00:00:01.500000+00:00", 2, True, 6, True]
    assert everything == expected


RECORD = {
    "name": "n", "count": 1, "large": 2**60, "ratio": 0.5, "flag": True, "letter": "é", "note": None, "tags": ["a"],
    "scores": {"x": 1.5}, "unique": [1, 2], "pair": [1, "b"],
    "shapes": ["Nothing", {"Circle": {"radius": 2.5}}, {"Square": 1.5}], "children": [],
}  # fmt: skip


async def pass_records(record):
    import dataclasses

    values = await load("abort", "values")
    # In serde's results, integers beyond 2**53 are always BigInts.
    record = {**record, "large": 2**52, "unique": {1, 2}, "pair": tuple(record["pair"]), "scores": record["scores"]}
    record["children"] = [{**record, "note": "x"}]
    known = dataclasses.make_dataclass("Known", list(record))(**record)
    found = [values.echo_record_as_json(value) for value in (record, known)]
    error = caught(values.echo_record, {**record, "count": -1})
    large = caught(values.echo_record, {**record, "large": 2**60})
    return [found[0] == found[1], found[0], values.echo_record(record)["scores"], type(error).__name__, str(large)]


def test_serde(py):
    """A dict or dataclass becomes a serde struct, serde's maps become dicts, and wrong data raises a RustError."""
    same, record, scores, error, large = py.run(pass_records, record=RECORD)
    child = {**RECORD, "large": 2**52, "note": "x"}
    assert same
    assert record == {**RECORD, "large": 2**52, "children": [child]}
    assert (scores, error) == ({"x": 1.5}, "RustError")
    assert "can't be represented" in large  # the words are serde-wasm-bindgen's own


async def refuse_data():
    import datetime

    values = await load("abort", "values")
    given = [object(), [object()], {(1, 2): 3}, {None: [range(3)]}, {object()}, datetime.date(2026, 1, 1),
             datetime.timedelta(1), 1j, [type("Slots", (), {})()]]  # fmt: skip
    return [[type(error).__name__, str(error)] for error in (caught(values.echo, value) for value in given)]


def test_what_is_no_data(py):
    """A value that is no data raises a TypeError with the argument's name."""
    found = py.run(refuse_data)
    assert [kind for kind, _ in found] == ["TypeError"] * 9
    assert all(text.startswith("echo() argument 'value': ") for _, text in found)
    assert [text.split(": ", 1)[1] for _, text in found[:3]] == [
        "cannot pass 'object' to Rust", "cannot pass 'object' to Rust",
        "cannot use a key of type 'tuple' in JavaScript: only texts and numbers",
    ]  # fmt: skip


async def pass_what_javascript_knows():
    import js

    values = await load("abort", "values")
    sources = ["new URL('https://example.com/')", "/x/", "new (class Odd {})", "Symbol('x')", "new Map([[{}, 1]])",
               "new Date(NaN)", "new Date(1e15)"]  # fmt: skip
    same = []
    for source in sources:
        value = values.javascript(source)
        same.append(bool(js.Object.is_(values.echo(value), value)))
    errors = [values.error("wrong"), values.javascript("[new RangeError('far')]")[0]]
    mine = KeyError("mine")
    return [same, [repr(error) for error in errors], values.echo(mine) is mine, values.echo([mine])[0] is mine]


def test_what_only_javascript_knows(py):
    """JavaScript's own values stay as they are. An error becomes an exception, and a Python exception stays itself."""
    errors = ["RustError('wrong')", "RustError('far')"]
    assert py.run(pass_what_javascript_knows) == [[True] * 7, errors, True, True]
