"""A tracked module and its shadow, run by wasmtime: what a call wrote is kept, or undone, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from unpanic_tools.rewrite import DEADLINES, ROLLBACK, run_rewriter

ROOT = Path(__file__).parents[2]
REWRITER = (ROOT / "rust/rewriter/pkg/rewriter.wasm").read_bytes()
SHADOW = (ROOT / "rust/shadow/pkg/shadow.wasm").read_bytes()
PAGE = 65_536
CARD = 4_096

TEXT = """(module (memory (export "memory") 2)
    (global $sp (mut i32) (i32.const 8192))
    (data (i32.const 8192) "data") (data $more "0123456789")
    (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "far") (param i32) (i32.store offset=4294967295 (local.get 0) (i32.const 1)))
    (func (export "wrap") (param i32) (i32.store8 (local.get 0) (i32.load8_u (i32.const 8192)))
        (i32.store8 (i32.add (local.get 0) (i32.const 16)) (i32.const 1)))
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (memory.init $more (local.get 0) (local.get 1) (local.get 2)))
    (func (export "frame") (result i32) (local $fp i32)
        (global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const 32))))
        (i32.store (local.get $fp) (i32.const 7)) (global.set $sp (i32.add (local.get $fp) (i32.const 32)))
        (local.get $fp))
    (func (export "size") (result i32) memory.size)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""


class Pair:
    """A tracked module and its shadow."""

    def __init__(self, flags: int, text: str = TEXT):
        engine = wasmtime.Engine()
        self.host = wasmtime.Store(engine)
        linker = wasmtime.Linker(engine)
        refuel = wasmtime.FuncType([], [wasmtime.ValType.i32()])
        linker.define_func("unpanic", "refuel", refuel, lambda: 1_000)
        module = wasmtime.Module(engine, run_rewriter(REWRITER, wasmtime.wat2wasm(text), flags))
        self.exports: Any = linker.instantiate(self.host, module).exports(self.host)
        self.memory = self.exports["memory"]
        self.cards = self.exports["__unpanic_cards"].value(self.host)
        shadow = wasmtime.Memory(self.host, wasmtime.MemoryType(wasmtime.Limits(0, None)))
        linker.define(self.host, "module", "memory", self.memory)
        linker.define(self.host, "module", "cards", self.exports["__unpanic_cards"])
        linker.define(self.host, "shadow", "memory", shadow)
        self.shadow: Any = linker.instantiate(self.host, wasmtime.Module(engine, SHADOW)).exports(self.host)
        self.run("initialise")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args: self.exports[name](self.host, *args)

    def run(self, name: str) -> int:
        return self.shadow[name](self.host, 0, 0)

    def bytes(self) -> bytes:
        """All of memory but the table."""
        data = self.memory.read(self.host)
        return bytes(data[: self.cards] + data[self.cards + (1 << 20) :])

    def is_clear(self) -> bool:
        return not any(self.memory.read(self.host, self.cards, self.cards + (1 << 20)))


@pytest.fixture(params=[ROLLBACK, ROLLBACK + DEADLINES], ids=["rollback", "both"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(request.param)


def test_the_committed_file_is_the_text():
    text = (ROOT / "rust/shadow/shadow.wat").read_text()
    # The names of the text come last, and are left out.
    assert wasmtime.wat2wasm(text).startswith(SHADOW)


@pytest.mark.parametrize(
    ("call", "cards"),
    [
        (("store", 20_000, 1), 2),
        (("store", 5 * CARD - 2, 1), 2),
        (("store", 2 * PAGE - 4, 1), 1),
        (("fill", 10_000, 1, 0), 0),
        (("fill", 10_000, 1, 5), 2),
        (("fill", 10_000, 1, 1024), 2),
        (("fill", 10_000, 1, 1025), 2),
        (("fill", 10_000, 1, CARD), 3),
        (("fill", 3 * CARD, 1, 5 * CARD), 6),
        (("fill", 3 * CARD, 1, 5 * CARD + 1), 7),
        (("copy", 40_000, 8_190, 20_000), 7),
        (("init", 30_000, 1, 9), 2),
    ],
)
def test_what_was_written_is_undone_or_kept(pair: Pair, call: tuple[Any, ...], cards: int):
    before = pair.bytes()
    name, *args = call
    getattr(pair, name)(*args)
    after = pair.bytes()
    assert pair.run("rollback") == cards
    assert pair.bytes() == before
    assert pair.is_clear()
    getattr(pair, name)(*args)
    assert pair.run("commit") == cards
    assert pair.run("differs") == -1
    assert pair.bytes() == after
    assert pair.run("rollback") == 0
    assert pair.bytes() == after


@pytest.mark.parametrize(
    "call",
    [
        ("far", 2**32 - 1 - 2**32),
        ("far", 8),
        ("store", -4, 1),
        ("store", -1, 1),
        ("fill", 18 * PAGE - 5, 1, 6),
        ("fill", 0, 1, -1),
        ("copy", -1, 0, 5_000),
        ("init", 0, 5, 6),
    ],
)
def test_what_traps_writes_nothing(pair: Pair, call: tuple[Any, ...]):
    """Marks for addresses outside of memory are inside the table."""
    before = pair.bytes()
    name, *args = call
    with pytest.raises(wasmtime.Trap):
        getattr(pair, name)(*args)
    assert pair.bytes() == before
    pair.run("rollback")
    assert pair.bytes() == before


def test_an_address_that_comes_around(pair: Pair):
    """The mark of the last card of 4 GiB stands for the first one, too."""
    with pytest.raises(wasmtime.Trap):
        pair.wrap(-8)
    assert pair.run("commit") == 2
    text = '(module (memory (export "memory") 1) (func (export "f") (param i32) {store}))'
    store = "(if (i32.eqz (local.get 0)) (then (i32.store8 (local.get 0) (i32.const 1))))"
    around = "(i32.store8 (i32.add (local.get 0) (i32.const 16)) (i32.const 1))"
    other = Pair(ROLLBACK, text.format(store=store + around))
    before = other.bytes()
    other.f(-8)
    assert other.bytes() != before
    other.run("rollback")
    assert other.bytes() == before


def test_what_javascript_writes_is_marked_by_hand(pair: Pair):
    for address, length, cards in [(20_000, 10_000, 5), (20_000, 0, 0), (2 * PAGE - 1, 1, 1), (-1, -1, 2)]:
        pair.exports["__unpanic_mark"](pair.host, address, length)
        assert pair.run("commit") == cards, address


def test_the_size_is_what_the_program_expects_until_it_grows(pair: Pair):
    assert (pair.size(), pair.grow(0), pair.size()) == (2, 2, 2)
    assert pair.grow(3) == 18
    assert (pair.size(), pair.grow(0)) == (21, 21)
    pair.exports["fill"](pair.host, 18 * PAGE, 1, 3 * PAGE)
    assert pair.run("differs") == 18 * PAGE
    assert pair.run("rollback") == 3 * 16
    assert not any(pair.bytes()[2 * PAGE :])


def test_the_stack_is_left_out():
    # With data that is placed nowhere, nobody knows where the stack ends.
    module = TEXT.replace('(data $more "0123456789")', "").replace("memory.init $more", "memory.copy")
    pair = Pair(ROLLBACK, module)
    address = pair.frame()
    assert address == 8192 - 32
    assert pair.is_clear()
    assert pair.run("differs") == address
    assert pair.shadow["differs"](pair.host, 0, 8192) == -1
    # The last card of the stack is marked, which stands for the first of the data.
    pair.exports["store"](pair.host, 8190, 0x0101_0101)
    assert pair.shadow["rollback"](pair.host, 0, 8192) == 1
    assert pair.memory.read(pair.host, 8190, 8196) == b"\1\1data"
