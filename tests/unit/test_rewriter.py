"""What the rewriter makes of a function, run by wasmtime: it computes the same, and any call of it can be ended."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime
from unpanic_tools.rewrite import DEADLINES, run_rewriter

ROOT = Path(__file__).parents[2]
REWRITER = (ROOT / "rust/rewriter/pkg/rewriter.wasm").read_bytes()
FUEL = 100_000


@pytest.fixture(scope="module")
def engine() -> wasmtime.Engine:
    """With everything that modules of wasm-bindgen use; a call that does not end is ended after a while."""
    config = wasmtime.Config()
    config.wasm_exceptions = True
    config.wasm_tail_call = True
    config.wasm_memory64 = True
    config.consume_fuel = True
    return wasmtime.Engine(config)


class Program:
    """An instance of a rewritten module.

    Args:
        text: the module as text, with an export `run`; it may import `m.f`.
        asks: how often it gets more fuel.
        imported: what `m.f` does.
    """

    def __init__(self, engine: wasmtime.Engine, text: str, asks: int = 10, imported: Callable[[], None] = id) -> None:
        self.asked = 0
        self.asks = asks
        self.store = wasmtime.Store(engine)
        # Far more than the program gets: whoever uses this up did not ask.
        self.store.set_fuel(2_000_000_000)
        linker = wasmtime.Linker(engine)
        linker.define_func("unpanic", "refuel", wasmtime.FuncType([], [wasmtime.ValType.i32()]), self._refuel)
        linker.define_func("m", "f", wasmtime.FuncType([], []), imported)
        module = wasmtime.Module(engine, run_rewriter(REWRITER, wasmtime.wat2wasm(text), DEADLINES))
        self._run = linker.instantiate(self.store, module).exports(self.store)["run"]

    def _refuel(self) -> int:
        self.asked += 1
        return FUEL if self.asked <= self.asks else 0

    def run(self, *args: object) -> object:
        return self._run(self.store, *args)


ENDLESS = {
    "a loop": '(module (func (export "run") (loop (br 0))))',
    "a loop that branches back from a block": '(module (func (export "run") (loop (block (br 1)))))',
    "a loop with a table of branches": """(module (func (export "run") (param i32)
        (loop (block (block (br_table 0 1 2 2 (local.get 0)))) (br 0))))""",
    "a loop in a loop": '(module (func (export "run") (loop (loop (br 1)))))',
    "a loop with parameters": '(module (func (export "run") i32.const 1 (loop (param i32) (br 0 (i32.const 2)))))',
    "two functions that call each other in tail position": """(module
        (func $a (export "run") (return_call $b)) (func $b (return_call $a)))""",
    "a function that calls itself through a table": """(module (type $t (func)) (table 1 funcref)
        (elem (i32.const 0) $a) (func $a (export "run") (return_call_indirect (type $t) (i32.const 0))))""",
    "a function that calls itself through a table of 64 bits": """(module (type $t (func)) (table i64 1 funcref)
        (elem (i64.const 0) $a) (func $a (export "run") (return_call_indirect (type $t) (i64.const 0))))""",
    "a tree of calls without a cycle": '(module (func $f0) {} (func (export "run") call $f60))'.format(
        "".join(f"(func $f{n} call $f{n - 1} call $f{n - 1})" for n in range(1, 61))
    ),
    "a loop that catches what a function throws": """(module (tag $e) (func $throw (throw $e))
        (func (export "run") (loop (block (try_table (catch_all 0) (call $throw))) (br 0))))""",
    "a loop to whose beginning an exception leads": """(module (tag $e) (func $throw (throw $e))
        (func (export "run") (loop (try_table (catch_all 0) (call $throw)))))""",
    "a loop that catches its own exception": """(module (tag $e)
        (func (export "run") (loop (block (try_table (catch_all 0) (throw $e))) (br 0))))""",
}


@pytest.mark.parametrize("shape", ENDLESS)
def test_an_endless_call_can_be_ended(shape: str, engine: wasmtime.Engine):
    """By a trap, as soon as there is no more fuel."""
    text = ENDLESS[shape]
    program = Program(engine, text)
    with pytest.raises(wasmtime.Trap) as caught:
        program.run(*[5] * text.count('(export "run") (param i32)'))
    assert caught.value.trap_code is wasmtime.TrapCode.UNREACHABLE
    assert program.asked == program.asks + 1


def test_a_function_that_calls_itself_through_an_import(engine: wasmtime.Engine):
    """A tree of calls, half of which the host makes: neither a loop nor a cycle is in the module."""
    text = '(module (import "m" "f" (func $f)) (func (export "run") (call $f) (call $f)))'
    depth = entered = 0

    def enter() -> None:
        nonlocal depth, entered
        depth, entered = depth + 1, entered + 1
        assert entered < 1_000_000, "nobody asked"
        if depth < 30:
            program.run()
        depth -= 1

    program = Program(engine, text, asks=2, imported=enter)
    with pytest.raises(wasmtime.Trap):
        program.run()
    assert program.asked == 3


@pytest.mark.parametrize(
    "landing",
    [
        "(block $caught (try_table (catch_all $caught) (call $work)))",
        "(if (i32.const 1) (then (try_table (catch_all 0) (call $work))))",
        "(drop (block $caught (result exnref) (try_table (catch_all_ref $caught) (call $work)) (unreachable)))",
    ],
)
def test_what_was_used_before_an_exception_counts(landing: str, engine: wasmtime.Engine):
    """The callee's loop uses fuel and then throws: whoever catches does not get that fuel back."""
    text = f"""(module (tag $e)
        (func $work (local i32)
            (loop
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br_if 0 (i32.lt_u (local.get 0) (i32.const 999))))
            (throw $e))
        (func (export "run") (param i32) (loop
            {landing}
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if 0 (local.get 0)))))"""
    program = Program(engine, text, asks=1_000_000)
    program.run(1_000)
    # A thousand times a thousand turns of eight instructions.
    assert 60 <= program.asked <= 120


# A loop whose turns are few instructions and much work, and how much work one turn is, in instructions.
HEAVY = {
    "fills a range": ("(memory.fill (i32.const 0) (i32.const 1) (i32.const 40_000))", 10_000),
    "copies a range": ("(memory.copy (i32.const 0) (i32.const 0) (i32.const 40_000))", 10_000),
    "copies a range of a segment": ("(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 8_000))", 2_000),
    "fills a range of a table": ("(table.fill 0 (i32.const 0) (ref.null func) (i32.const 8_000))", 2_000),
    "calls a function that fills a range": ("(call $fill (i32.const 40_000))", 10_000),
    "fills a range of a wide memory": ("(memory.fill $wide (i64.const 0) (i32.const 1) (i64.const 9))", 10_000),
}


@pytest.mark.parametrize("work", HEAVY)
@pytest.mark.parametrize("loop", ["(loop {} (br 0))", "(loop {} (loop {} (br 1)))"])
def test_an_instruction_that_takes_long_counts_for_many(work: str, loop: str, engine: wasmtime.Engine):
    """Otherwise a loop that fills a large buffer would look at the clock once in seconds."""
    code, cost = HEAVY[work]
    text = f"""(module
        (memory 1) (memory $wide i64 1) (table 8000 funcref) (data "{"x" * 8_000}")
        (func $fill (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
        (func (export "run") (param i32) {loop.replace("{}", COUNTED.replace("{}", code))}))"""
    turns = 1_000
    program = Program(engine, text, asks=1_000_000)
    program.run(turns)
    assert turns * cost / FUEL / 2 < program.asked < turns * cost / FUEL * 2


# Ends the function after so many turns.
COUNTED = "{} (if (i32.eqz (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))) (then (return)))"

SUM = "(local.set 1 (i32.add (local.get 1) (local.get 0))) (local.set 0 (i32.sub (local.get 0) (i32.const 1)))"
COMPUTING = {
    "ends at its condition": f"(block (br_if 0 (i32.eqz (local.get 0))) (loop {SUM} (br_if 0 (local.get 0))))",
    "is left in the middle": f"(block (loop (br_if 1 (i32.eqz (local.get 0))) {SUM} (br 0)))",
    "goes on in the middle": f"""(block (loop (br_if 1 (i32.eqz (local.get 0))) {SUM}
        (block (br_table 0 1 0 (i32.and (local.get 0) (i32.const 1))) ) (br 0)))""",
    "returns from within": f"(loop (if (i32.eqz (local.get 0)) (then (return (local.get 1)))) {SUM} (br 0))",
    "leaves two blocks by a table": f"""(block $out (block $none (loop $again
        (block $next (br_table $next $out $none (i32.eqz (local.get 0)))) {SUM} (br $again))))""",
    "gives a value": f"""(local.set 1 (loop (result i32) (if (local.get 0) (then {SUM} (br 1))) (local.get 1)))""",
}


@pytest.mark.parametrize("shape", COMPUTING)
def test_a_small_loop_computes_the_same(shape: str, engine: wasmtime.Engine):
    """Whatever the number of its turns is: its body is repeated four times."""
    text = f'(module (func (export "run") (param i32) (result i32) (local i32) {COMPUTING[shape]} (local.get 1)))'
    program = Program(engine, text, asks=1_000)
    assert [program.run(turns) for turns in range(11)] == [turns * (turns + 1) // 2 for turns in range(11)]
    assert program.run(10_000) == 50_005_000


# wasmtime does not know the older exception handling, and Node does.
OLDER = {
    "what a function throws": "loop try call $throw catch_all end br 0 end",
    "what it throws itself": "loop try throw $e catch $e end br 0 end",
    "what it throws again": "loop try try throw $e catch_all rethrow 0 end catch_all end br 0 end",
    "what is delegated": "loop try try call $throw delegate 0 catch_all end br 0 end",
    "one whose handler has a loop": "try throw $e catch_all loop i32.const 0 if rethrow 2 end br 0 end end",
}
NODE = """
const { bytes, asks } = JSON.parse(process.argv[1]);
let asked = 0;
const refuel = () => (asked++ < asks ? 100_000 : 0);
const module = new WebAssembly.Module(Buffer.from(bytes, "base64"));
const { run } = new WebAssembly.Instance(module, { unpanic: { refuel } }).exports;
globalThis.call = () => { try { run(); return "returned"; } catch (error) { return error.message; } };
console.log(require("node:vm").runInThisContext("call()", { timeout: 20_000 }), asked);
"""


@pytest.mark.parametrize("caught", OLDER)
def test_an_endless_loop_that_catches_can_be_ended(caught: str):
    """In the older exception handling, `catch` is an instruction and not a branch."""
    text = f'(module (tag $e) (func $throw (throw $e)) (func (export "run") {OLDER[caught]}))'
    wasm = run_rewriter(REWRITER, wasmtime.wat2wasm(text), DEADLINES)
    case = json.dumps({"bytes": base64.b64encode(wasm).decode(), "asks": 5})
    done = subprocess.run(["node", "-e", NODE, case], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "unreachable 6\n", done.stderr[-1000:]
