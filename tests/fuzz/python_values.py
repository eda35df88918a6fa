"""Random arguments: values that a parameter may take, and any other value of Python or JavaScript."""

from __future__ import annotations

import array
import asyncio
import collections
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import random
import types
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from pyodide.code import run_js

INTEGERS = [0, 1, -1, 2, 7, 127, 128, 255, 256, -129, 65535, 10**30, 10**400, -(10**5000)]
INTEGERS += [sign * 2**bits + more for bits in (31, 32, 53, 63, 64) for sign in (1, -1) for more in (-1, 0, 1)]
FLOATS = [0.0, -0.0, 1.0, 2.5, -1.5, 1e300, 5e-324, 2.0**31, 2.0**32, 4294967296.5, *map(float, ("inf", "-inf", "nan"))]
TEXTS = [
    "",
    "a",
    "ada",
    "é",
    "🦀",
    "a\0b",
    "\ud800",
    "x\udfff",
    "\ufeff",
    "e\u0301",
    "🦀" * 50,
    "a" * 100_000,
    "é" * 33_333,
]
JAVASCRIPT = r"""
undefined
null
true
-0
2**53
123n
2n**70n
'text'
'\ud800'
Symbol('it')
[]
[1, [2, 'x']]
({a: 1})
new Map([[1, 2]])
new Set([1])
new Date(0)
/x/
() => 1
() => { throw 1; }
() => { throw null; }
(function () { return this; })
() => { throw new Error('from JavaScript'); }
() => ({ then() { throw 2; } })
() => Promise.reject(new Error('later')).catch(() => 3)
new Uint8Array(3)
new Int8Array([-1])
new Float64Array([1.5])
new BigInt64Array(2)
new Uint8ClampedArray(2)
new DataView(new ArrayBuffer(2))
new ArrayBuffer(8)
(() => { const a = new Uint8Array(8); structuredClone(a, {transfer: [a.buffer]}); return a; })()
new String('a')
Object.create(null)
({ get x() { throw new Error('getter'); } })
(() => { const a = []; a.push(a); return a; })()
Promise.resolve(1)
new Proxy({}, { get() { throw new Error('trap'); } })
new Proxy({}, { getPrototypeOf() { throw new Error('trap'); } })
(class {})
new Proxy(() => 1, { get() { throw new Error('trap'); } })
new (class It { m() {} })()
Object.freeze([1])
[,1]
new Error('an error')
({ __wbg_ptr: 0 })
({ __wbg_ptr: 12345 })
Object.assign(() => {}, { _wbg_cb_unref() {} })
globalThis.Math
""".strip().splitlines()


class Mine(Exception):
    """An exception that callbacks raise."""


class MineBase(BaseException):
    """An exception of callbacks that is no Exception."""


class Text(str):
    """A subclass of str."""


class Whole(int):
    """A subclass of int."""


class Choice(enum.IntEnum):
    """An enum of another library."""

    ONE = 1
    LARGE = 2**40


class Name(enum.StrEnum):
    """An enum of texts of another library."""

    A = "a"


@dataclasses.dataclass
class Record:
    """Data with fields."""

    name: str
    value: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Data that can be a member of a set."""

    x: Any
    y: Any = 0


@dataclasses.dataclass(repr=False)
class Unfinished:
    """Data with a field that nobody sets."""

    later: int = dataclasses.field(init=False)


Pair = collections.namedtuple("Pair", ["first", "second"])
AHEAD, BEHIND = (datetime.timezone(datetime.timedelta(hours=hours)) for hours in (14, -12))
DATES = [
    datetime.datetime(2026, 1, 1, 12, 30, 15, 123456),
    datetime.datetime(2026, 1, 1, tzinfo=AHEAD),
    datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=datetime.UTC),
    datetime.datetime(2026, 10, 25, 2, 30, fold=1),
    datetime.datetime.min,
    datetime.datetime.max,
    datetime.datetime.min.replace(tzinfo=AHEAD),
    datetime.datetime.max.replace(tzinfo=BEHIND),
    datetime.date(2026, 1, 1),
    datetime.time(1, 2),
    datetime.timedelta(days=1),
]


class Broken(ctypes.BigEndianStructure):
    """A buffer whose elements are no numbers."""

    _fields_ = (("short", ctypes.c_short), ("long", ctypes.c_long))


# The exceptions that callbacks raised.
RAISED = "raised on purpose"
ERRORS: list[Callable[[], BaseException]] = [
    lambda: Mine("mine"), lambda: Mine("\ud800"), lambda: KeyError("k"), ValueError, lambda: TypeError("t"),
    lambda: StopIteration(1), lambda: OSError(2, "no"), lambda: MineBase("base"),
]  # fmt: skip
# The values that each kind of parameter takes, by the name of the kind.
FITTING = {
    "i32": [0, 1, 2, 3, 5, 255, -1, 100, 2**31 - 1],
    "i64": [0, 1, 100, -1, 2**40, 2**63 - 1],
    "float": FLOATS,
    "bool": [True, False],
    "string": ["", "a", "ada", "é🦀", "a\0b", Text("sub"), Name.A, "ada" * 3_000],
    "char": ["a", "é", "🦀", "\0"],
    "list": [["a", "é"], ("x",), [], ["🦀"] * 10],
    "array": [
        b"\1\2",
        [1, 2],
        (),
        bytearray(3),
        array.array("d", [1.5]),
        range(3),
        memoryview(b"abcdef")[::2],
        [7] * 9_000,
    ],
    "i128": [0, 1, -1, 2**64, 2**127 - 1, -(2**127)],
    "u128": [0, 1, 2**64, 2**128 - 1],
}
SAME = {"s32": "i32", "u32": "i32", "number": "i32", "u64": "i64", "int64": "i64", "bigint": "i64"}
SAME |= {"int128": "i128", **dict.fromkeys(("i8", "u8", "i16", "u16"), "i32")}


class Values:
    """Makes values out of one random generator.

    Args:
        generator: the source of all random numbers.
        pool: the results of earlier calls.
        come_back: the action of some of the callbacks.
    """

    def __init__(self, generator: random.Random, pool: list[Any], come_back: Callable[[], Any]) -> None:
        self.random = generator
        self.pool = pool
        self.come_back = come_back
        # Exceptions of callbacks and of methods of arguments. Calls have to raise them unchanged.
        self.raised: list[BaseException] = []

    def fitting(self, kind: Any) -> Any:
        """Returns a value that a parameter of this kind might take, but may also refuse."""
        if kind.name == "function":
            return self.callback()
        if kind.name == "stream":
            return self.iteration()
        if kind.name == "array" and self.random.random() < 0.5:
            return self.writable(kind.element)
        name = SAME.get(kind.name, kind.name)
        return self.random.choice(FITTING[name]) if name in FITTING else self.anything()

    def anything(self, depth: int = 0) -> Any:
        """Returns any value at all."""
        makers = [
            self.number, self.number, self.number, self.text, self.text, self.buffer, lambda: self.container(depth),
            self.container, self.oddity, self.bulk, self.hostile, self.callback, self.earlier, self.javascript,
            self.date, lambda: self.data(depth), self.iteration, self.later,
        ]  # fmt: skip
        return self.random.choice(makers)()

    def number(self) -> Any:
        r = self.random
        odd = [
            1j,
            fractions.Fraction(1, 3),
            decimal.Decimal("NaN"),
            decimal.Decimal("1.5"),
            Whole(5),
            Choice.LARGE,
            True,
        ]
        some = [r.randrange(-(2**33), 2**33), r.getrandbits(r.randrange(1, 200)), r.uniform(-1e10, 1e10)]
        return r.choice([r.choice(INTEGERS), r.choice(FLOATS), r.choice(odd), r.choice(some)])

    def text(self) -> str:
        r = self.random
        texts = [chr(r.randrange(0x110000)), "".join(map(chr, r.choices(range(0x300), k=9))), Text("sub"), Name.A]
        return r.choice([*TEXTS, *texts])

    def buffer(self) -> Any:
        grid = memoryview(bytes(24)).cast("B", (4, 6))
        released = memoryview(b"gone")
        released.release()
        views = [memoryview(b"abcdef")[::2], memoryview(b"abcdef")[::-1], memoryview(b"ab").cast("c"), grid, released]
        views += [memoryview(bytes(16)).cast(code) for code in ("d", "@q", "?", "e")]
        arrays = [array.array(code, [1, 2]) for code in "bBhHiIqQfdlL"]
        others = [b"", b"\1\2", bytearray(b"abc"), array.array("w", "é🦀"), self.writable("u8"), self.writable("f64")]
        return self.random.choice([*others, *views, *arrays, *foreign_arrays()])

    def writable(self, element: str) -> Any:
        """Returns a buffer that Rust may write into, with such elements or others."""
        code = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i64": "q", "u64": "Q", "f32": "f"}.get(
            element, self.random.choice("di")
        )
        numbers = array.array(code, range(6))
        view = memoryview(numbers)
        return self.random.choice([numbers, view, view[::2], view[::-1], view[:0], view.cast("B").cast(code, (2, 3))])

    def container(self, depth: int = 0) -> Any:
        items = [self.anything(depth + 1) for _ in range(self.random.randrange(4 if depth < 4 else 1))]
        named = {str(at): item for at, item in enumerate(items)}
        return self.random.choice([items, tuple(items), named, {1: items}, collections.deque(items), iter(items)])

    def data(self, depth: int = 0) -> Any:
        """Returns data that becomes objects, maps and sets in JavaScript."""
        inner = self.anything(depth + 2) if depth < 3 else 1
        key = self.random.choice([None, True, 1, 2.5, float("nan"), "é", "", 10**400, (1, 2), Choice.ONE, b"k"])
        record = Record("a", inner)
        itself = Record("itself")
        itself.value = [itself]
        return self.random.choice(
            [
                record, itself, Place(1, inner), [Place(1), Place(2)], {Place(1)}, Pair(inner, 1), Unfinished(), Record,
                {1, 2.5, "a", None}, frozenset({1, "a"}), {(1, 2)}, {frozenset({1})}, {"\ud800"}, {"nested": {1, 2}},
                {key: inner}, {key: {key: record}}, {"a": inner, key: [{"b": record}]}, collections.Counter("aab"),
                collections.defaultdict(list, a=[inner]), types.MappingProxyType({"a": 1}),
                collections.ChainMap({"a": 1}), types.SimpleNamespace(a=1),
                [inner, [record, {"a": (inner, b"bytes", array.array("d", [1.5]))}]],
            ]
        )  # fmt: skip

    def date(self) -> Any:
        date = self.random.choice(DATES)
        return self.random.choice([date, date, [date], {"at": date}])

    def iteration(self) -> Any:
        """Returns generators and iterators, async or not, some of which raise."""
        items = [self.number() for _ in range(self.random.randrange(4))]
        error = self.random.choice([None, None, Mine("in an iterator"), KeyError("in an iterator")])
        return self.random.choice(
            [iter(items), items, self.generator(items, error), self.async_generator(items, error)]
        )

    def generator(self, items: list[Any], error: BaseException | None) -> Iterator[Any]:
        yield from items
        yield self.answer(error)

    async def async_generator(self, items: list[Any], error: BaseException | None) -> AsyncIterator[Any]:
        for item in items:
            await asyncio.sleep(0)
            yield item
        yield self.answer(error)

    def later(self) -> Any:
        """Returns awaitables, and functions that return them."""
        result = self.random.choice([1, "text", None, b"ab", Record("a"), Mine("later"), KeyError("later")])

        async def give(*_: Any) -> Any:
            await asyncio.sleep(0)
            return self.answer(result)

        future = asyncio.get_running_loop().create_future()
        future.set_result(result)
        return self.random.choice([give, give, give(), future])

    def oddity(self) -> Any:
        odd = [None, ..., NotImplemented, object(), self, Mine("a value"), {1, 2}, range(5), slice(1)]
        odd += [uuid.UUID(int=1), types, int, Record, BaseExceptionGroup("some", [Mine("one")])]
        return self.random.choice([*odd, collections.OrderedDict(a=1), (value for value in (1, 2))])

    def bulk(self) -> Any:
        """Returns values that are large or deep, or hold themselves."""
        around: list[Any] = []
        around.append(around)
        deep: list[Any] = []
        for _ in range(self.random.choice([10, 100, 3_000])):
            deep = [deep]
        named = {str(at): at for at in range(500)}
        return self.random.choice(
            [[0] * 100_000, list(range(300)), ["a"] * 5_000, b"x" * 1_000_000, named, around, {"self": around}, deep]
        )

    def hostile(self) -> Any:
        """Returns values that return or raise anything when a number or a sequence is wanted."""
        if self.random.random() < 0.5:
            return Index(self, self.random.choice([5, -1, 2**40, "no integer", None, Mine("index"), 2.5]))
        return Elements(self, [1, 2, 3], self.random.choice([3, -1, 0, 2, 10**30, "long", Mine("length")]))

    def earlier(self) -> Any:
        return self.random.choice(self.pool) if self.pool else None

    def javascript(self) -> Any:
        return run_js(self.random.choice(JAVASCRIPT))

    def callback(self) -> Callable[..., Any]:
        """Returns a callable that returns anything, raises, or calls the module."""
        plain = self.random.choice([1, 2, None, "text", 2.5, [1], {"a": 1}])
        error = self.random.choice(ERRORS)()
        return self.random.choice(
            [
                lambda *_: plain,
                lambda *_: self.answer(error),
                lambda *_: self.answer(error),
                lambda *_: self.anything(),
                lambda *_: self.come_back(),
            ]
        )

    def answer(self, value: Any) -> Any:
        """Returns the value, or raises an exception."""
        if isinstance(value, BaseException):
            self.raised.append(value)
            value.add_note(RAISED)
            raise value
        return value


def foreign_arrays() -> list[Any]:
    """Returns buffers of ctypes."""
    kinds = [ctypes.c_byte, ctypes.c_ubyte, ctypes.c_int32, ctypes.c_uint64, ctypes.c_float, ctypes.c_double]
    kinds += [ctypes.c_int16.__ctype_be__, ctypes.c_bool, ctypes.c_wchar, ctypes.c_void_p]
    return [*[(kind * 3)() for kind in kinds], ((ctypes.c_int32 * 2) * 3)(), ctypes.c_int(5), Broken(), (Broken * 2)()]


class Index:
    """An integer of another library."""

    def __init__(self, values: Values, value: Any) -> None:
        self.values, self.value = values, value

    def __index__(self) -> int:
        return self.values.answer(self.value)

    def __float__(self) -> float:
        return self.values.answer(self.value)


class Elements(collections.abc.Sequence):
    """A sequence of another library."""

    def __init__(self, values: Values, items: list[Any], length: Any) -> None:
        self.values, self.items, self.length = values, items, length

    def __len__(self) -> int:
        return self.values.answer(self.length)

    def __getitem__(self, at: Any) -> Any:
        return self.values.answer(self.items[at])
