"""The errors: their tree, their data, and their exact words."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import traceback

import pytest
import unpanic
from unpanic import errors
from unpanic._bridge.crashes import make_crash
from unpanic._bridge.wire import DiagnosisFields
from unpanic._views.status import Status

from tests.unit.fakes import FakeStack

TREE = {
    "UnpanicError": (Exception,),
    "LoadError": (errors.UnpanicError,),
    "FetchError": (errors.LoadError,),
    "GlueError": (errors.LoadError,),
    "CompileError": (errors.LoadError,),
    "StartError": (errors.LoadError,),
    "Crash": (errors.UnpanicError, RuntimeError),
    "RustPanic": (errors.Crash,),
    "Trap": (errors.Crash,),
    "StackOverflow": (errors.Crash,),
    "OutOfMemory": (errors.Crash,),
    "ForeignException": (errors.Crash,),
    "CallTimeout": (errors.Crash, TimeoutError),
    "CallInterrupted": (errors.UnpanicError,),
    "StaleObjectError": (errors.UnpanicError, ReferenceError),
    "ModuleTerminated": (errors.UnpanicError,),
    "RustError": (errors.UnpanicError,),
    "StateLostWarning": (UserWarning,),
}


@pytest.mark.parametrize("name", TREE)
def test_the_tree_is_the_one_that_is_documented(name: str):
    """Each error has the bases that the tree in the module's docstring shows."""
    assert getattr(unpanic, name).__bases__ == TREE[name]
    assert f" {name}" in f" {errors.__doc__}".replace("\n", " ")


def test_the_tree_is_complete():
    """Every exception of the module is in the tree, and public."""
    found = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert found == set(TREE)
    assert set(errors.__all__) == found | {"Frame", "Location"}
    assert set(errors.__all__) <= set(unpanic.__all__)


KINDS = {
    "RustPanic": "panic",
    "Trap": "trap",
    "StackOverflow": "stack_overflow",
    "OutOfMemory": "out_of_memory",
    "ForeignException": "foreign",
    "CallTimeout": "timeout",
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_crash_has_its_kind(name: str, kind: str):
    """Each class has a kind, which is a word of its own."""
    assert getattr(unpanic, name).kind == kind
    assert getattr(unpanic, name)("x").kind == kind


AT = errors.Location("src/lib.rs", 41, 9)
WORDS = [
    (errors.RustPanic("boom"), "boom"),
    (errors.RustPanic("boom", module="bank"), "boom (in bank)"),
    (errors.RustPanic("boom", module="bank", call="Account.withdraw"), "boom (in bank.Account.withdraw)"),
    (errors.RustPanic("boom", module="bank", call="f", location=AT), "boom (in bank.f, src/lib.rs:41:9)"),
    (errors.RustPanic("boom", module="bank", location=AT), "boom (in bank, src/lib.rs:41:9)"),
    (errors.Trap("unreachable", module="bank", call="f", code="unreachable"), "unreachable (in bank.f)"),
    (errors.UnpanicError("as it is"), "as it is"),
    (errors.CallInterrupted("as it is"), "as it is"),
    (errors.RustError("as it is", value=3), "as it is"),
    (errors.FetchError("as it is", url="http://host/", status=404), "as it is"),
]


@pytest.mark.parametrize(("error", "text"), WORDS, ids=[text for _, text in WORDS])
def test_the_words_of_an_error(error: Exception, text: str):
    """They say what happened, in which call and where."""
    assert str(error) == text


def test_the_outcome_comes_last():
    """The message of a crash says what was recovered and what was lost."""
    panic = errors.RustPanic("insufficient funds", module="bank", call="Account.withdraw", location=AT)
    panic.outcome = "reset to generation 3, state lost"
    assert str(panic) == (
        "insufficient funds (in bank.Account.withdraw, src/lib.rs:41:9; reset to generation 3, state lost)"
    )


def test_frames_are_read_when_they_are_asked_for():
    """Few users look at the frames of a crash, so the stack is parsed at its first use, innermost first."""
    stack = FakeStack("inner outer")
    panic = errors.RustPanic("boom", stack=stack)
    assert stack.reads == 0
    assert panic.frames == (errors.Frame("inner"), errors.Frame("outer"))
    assert panic.javascript_stack == "inner outer"
    assert errors.RustPanic("boom").frames == ()
    assert errors.RustPanic("boom").javascript_stack == ""
    assert errors.Frame("f") == errors.Frame("f", None, None)


def test_a_crash_knows_what_it_was_given():
    """The defaults are those of a crash about which nothing is known."""
    panic = errors.RustPanic("boom")
    assert (panic.message, panic.call, panic.module, panic.generation) == ("boom", "", "", 0)
    assert (panic.recovery, panic.state_kept, panic.location, panic.payload) == ("none", False, None, "")
    assert errors.Trap("x").code == "other"
    assert errors.StartError("x", crash=panic).crash is panic
    assert errors.CallInterrupted("x").crash is None


def test_a_location_is_a_value():
    """It compares, prints and pickles like its three parts."""
    assert str(AT) == "src/lib.rs:41:9"
    assert pickle.loads(pickle.dumps(AT)) == AT
    with pytest.raises(AttributeError):
        AT.line = 1  # type: ignore[misc]


PLACE = errors.Location("a.rs", 1, 2)
NOTHING = (None, None, None)
DIAGNOSES = [
    (
        ("panic", None, "boom", "i32", "a.rs", 1, 2, FakeStack("s"), None),
        errors.RustPanic,
        {"payload": "i32", "location": PLACE},
    ),
    (
        ("panic", None, "boom", None, *NOTHING, FakeStack("s"), None),
        errors.RustPanic,
        {"payload": "", "location": None},
    ),
    (("trap", "unaligned", "boom", None, *NOTHING, FakeStack("s"), None), errors.Trap, {"code": "unaligned"}),
    (("stack_overflow", None, "boom", None, *NOTHING, FakeStack("s"), None), errors.StackOverflow, {}),
    (("out_of_memory", None, "boom", None, *NOTHING, FakeStack("s"), None), errors.OutOfMemory, {}),
    (("foreign", None, "boom", None, *NOTHING, FakeStack("s"), None), errors.ForeignException, {"__cause__": None}),
]


@pytest.mark.parametrize(("diagnosis", "kind", "expected"), DIAGNOSES, ids=lambda value: str(value)[:24])
def test_a_diagnosis_becomes_its_exception(diagnosis, kind, expected):
    """Each kind that the runtime reports has its class, with the data of that kind."""
    crash = make_crash(DiagnosisFields(*diagnosis), call="f", module="bank", generation=3)
    assert type(crash) is kind
    assert (crash.message, crash.call, crash.module, crash.generation) == ("boom", "f", "bank", 3)
    assert crash.javascript_stack == "s"
    assert {name: getattr(crash, name) for name in expected} == expected


def test_what_flew_through_rust_is_the_cause():
    """An exception is chained, and a value that is no exception is not."""
    mine = KeyError("mine")
    foreign = ("foreign", None, "boom", None, *NOTHING, FakeStack(""))
    assert make_crash(DiagnosisFields(*foreign, mine)).__cause__ is mine
    assert make_crash(DiagnosisFields(*foreign, "text")).__cause__ is None


def crashes() -> list[errors.Crash]:
    """Returns one crash of each kind, as the runtime reports it."""
    stack = FakeStack("bank::withdraw bank::main")
    rest = (None, None, None, None, None, stack, None)
    panic = DiagnosisFields("panic", None, "boom", "&str", "src/lib.rs", 41, 9, stack, None)
    trap = DiagnosisFields("trap", "unreachable", "unreachable", *rest[1:])
    foreign = DiagnosisFields("foreign", None, "text", *rest[1:-1], KeyError("mine"))
    ends = [DiagnosisFields(kind, None, "text", *rest[1:]) for kind in ("stack_overflow", "out_of_memory")]
    made = [
        make_crash(panic, module="bank", call="f"),
        make_crash(trap, module="bank", call="f", generation=3),
        *(make_crash(end, module="bank") for end in ends),
        make_crash(foreign, module="bank"),
        errors.CallTimeout("late"),
    ]
    for crash in made:
        crash.outcome = "reset to generation 1, state lost"
        crash.add_note("a note")
    return made


WAYS = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)), "copy": copy.copy, "deepcopy": copy.deepcopy,
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_crash_can_be_copied(way: str):
    """The copy has the same data, words and Rust frames, and holds nothing of the engine."""
    for crash in crashes():
        copied = WAYS[way](crash)
        assert type(copied) is type(crash)
        assert (str(copied), copied.frames, copied.javascript_stack) == (
            str(crash),
            crash.frames,
            crash.javascript_stack,
        )
        plain = [{name: value for name, value in vars(each).items() if name != "_stack"} for each in (copied, crash)]
        for each in plain:
            del each["_stand_in"], each["_entries"]
        assert plain[0] == plain[1]
        assert traceback.format_exception(copied, chain=False) == traceback.format_exception(crash, chain=False)
        assert not isinstance(copied._stack, FakeStack)


@pytest.mark.parametrize("way", WAYS)
def test_what_names_a_crash_can_be_copied(way: str):
    """This holds for an interruption, and for a status that was read after it."""
    crash = crashes()[0]
    interrupted = WAYS[way](errors.CallInterrupted("as it is", crash=crash))
    assert (str(interrupted), str(interrupted.crash)) == ("as it is", str(crash))
    status = Status(
        "bank", 1, "ready", "reset", "factory", 5, {"panic": 1}, 1, 0, 0, 10, "off", 0, crash, {"load": 1.0}
    )
    assert str(WAYS[way](status).last_crash) == str(crash)
    told = dataclasses.asdict(status)
    assert (told["crashes"], str(told["last_crash"]), told["last_crash"].frames) == (
        {"panic": 1},
        str(crash),
        crash.frames,
    )
