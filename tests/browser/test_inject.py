"""The plugin's `inject` makes any call of any module die, as it would by itself.

`tests/tools/test_pytest_plugin.py` has what a test says that fails.
"""

import contextlib

import pytest

from tests.browser.builds import load

# What each kind raises, and how that is recovered where calls are rolled back, and where panics unwind.
KINDS = {
    "panic": ("RustPanic", "rollback", "unwind"),
    "trap": ("Trap", "rollback", "reset"),
    "overflow": ("StackOverflow", "rollback", "reset"),
    "oom": ("OutOfMemory", "rollback", "reset"),
    "foreign": ("ForeignException", "rollback", "unwind"),
    "hang": ("CallTimeout", "rollback", "reset"),
}
PLACES = ["entry", "return", "allocation", "import"]


@pytest.mark.in_browser
@pytest.mark.parametrize("build", ["abort", "unwind"])
@pytest.mark.parametrize("at", PLACES)
async def test_each_kind_dies_as_it_would_by_itself(inject, build, at):
    """The runtime reads it as that kind of crash, and recovers as it always does. The calls around it work."""
    import unpanic

    bank = await load(build, "bank", recovery="auto", timeout=0.05, panic_hook=lambda _: None)
    told = {}
    for kind in KINDS:
        if build == "unwind" and at == "allocation" and kind in ("panic", "foreign"):
            with pytest.raises(ValueError, match="Rust's allocator never does"):
                inject(bank, kind, on="balance_of", at=at)
            continue
        bank.open("ada", 1)
        plan = inject(bank, kind, on="balance_of", call=2, at=at)
        for number in (1, 2, 3):
            try:
                # An `Err` is made by an import.
                with contextlib.suppress(unpanic.RustError):
                    bank.balance_of("nobody")
            except unpanic.Crash as crash:
                assert (crash.call, number) == ("balance_of", 2)
                told[kind] = (type(crash).__name__, crash.recovery)
        assert plan.fired
    place = 1 if build == "abort" else 2
    assert told == {kind: (KINDS[kind][0], KINDS[kind][place]) for kind in told}
    assert len(told) == (6 if build == "abort" or at != "allocation" else 4)


@pytest.mark.in_browser
@pytest.mark.parametrize("build", ["abort", "unwind"])
async def test_what_a_call_has_done_before_it_dies(inject, build):
    """At the entry Rust has not run; at the return it has: a panic that unwinds leaves that, a rollback undoes it."""
    import unpanic

    bank = await load(build, "bank", recovery="auto", panic_hook=lambda _: None)
    account = bank.Account("ada", 100)
    for at in ("entry", "return"):
        inject(bank, "panic", on="deposit", at=at)
        with pytest.raises(unpanic.RustPanic, match="injected panic") as raised:
            account.deposit(1)
        assert raised.value.state_kept
    assert account.balance == (101 if build == "unwind" else 100)


@pytest.mark.in_browser
async def test_without_a_hook_a_panic_says_nothing(inject):
    """It is what the module's own panics say."""
    import unpanic

    silent = await load("abort", "silent")
    inject(silent, "panic", on="add")
    with pytest.raises(unpanic.RustPanic, match="a panic without a message"):
        silent.add(1, 2)


@pytest.mark.in_browser
@pytest.mark.parametrize("build", ["abort", "native"])
async def test_plans_go_on_in_the_next_generation(inject, build):
    """They count calls of the module, and not of an instance."""
    import unpanic

    bank = await load(build, "bank")
    inject(bank, "trap", on="add", call=2)
    inject(bank, "foreign", on="add", call=4)
    bank.add(1, 2)
    unpanic.reset(bank)
    with pytest.raises(unpanic.Trap):
        bank.add(1, 2)
    bank.add(1, 2)
    with pytest.raises(unpanic.ForeignException):
        bank.add(1, 2)
    assert unpanic.status(bank).generation == 3


@pytest.mark.in_browser
async def test_modules_share_no_plans(inject):
    """Two modules of the same file are two modules."""
    import unpanic

    one, other = await load("abort", "bank"), await load("abort", "bank", name="other")
    inject(one, "trap", on="add")
    assert other.add(1, 2) == 3
    with pytest.raises(unpanic.Trap):
        one.add(1, 2)


@pytest.mark.in_browser
async def test_what_a_callback_calls_is_another_call(inject):
    """Neither what another module does in a call counts for that call, nor what the same module does."""
    import unpanic

    one, other = await load("abort"), await load("abort", name="other")
    counts = []
    for function in (lambda: None, other.err_string, one.err_string):

        def call(function=function):
            with contextlib.suppress(unpanic.RustError):
                function()

        plan = type(inject)()(one, "trap", on="call", at="import", n=100)
        one.call(call)
        counts.append(plan.shortfall)
        plan.end()
    assert counts == [counts[0]] * 3


@pytest.mark.in_browser
async def test_names_are_those_of_python_or_of_javascript(inject):
    """A function that JavaScript calls otherwise is found by both names, and so is a constructor."""
    import unpanic

    blame = await load("abort", "blame", panic_hook=lambda _: None)
    for name in ("count_twice", "Tally.countTwice"):
        tally = blame.Tally(1)
        inject(blame, "trap", on=name)
        with pytest.raises(unpanic.Trap):
            tally.count_twice()
    inject(blame, "trap", on="Tally")
    with pytest.raises(unpanic.Trap):
        blame.Tally(1)


@pytest.mark.in_browser
@pytest.mark.parametrize("at", ["allocation", "import", "entry"])
async def test_each_place_fails_once(inject, at):
    """The loop ends when there is nothing left that could die. Whatever died was undone."""
    import unpanic

    bank = await load("abort", "bank", recovery="auto")
    dead = 0
    for plan in inject.each(bank, "oom", on="balance_of", at=at):
        bank.open("ada", 1)
        for _ in range(3):
            with contextlib.suppress(unpanic.OutOfMemory, unpanic.RustError):
                bank.balance_of("nobody")
        assert bank.total() == 1
        assert (plan.call, plan.n) == ((dead + 1, 1) if at == "entry" else (1, dead + 1))
        dead += plan.fired
    assert dead == unpanic.status(bank).rollbacks
    assert dead > 1 if at == "allocation" else dead == {"entry": 3, "import": 1}[at]


@pytest.mark.in_browser
@pytest.mark.parametrize("at", ["allocation", "import"])
async def test_an_async_function_dies_where_the_event_loop_goes_on(inject, at):
    """The body of such a function runs after the call has returned: it is the call's, too, until that has ended."""
    import unpanic

    bank = await load("abort", "bank", recovery="auto", panic_hook=lambda _: None)
    dead = []
    for plan in inject.each(bank, "oom", on="balance_later", call=2, at=at):
        bank.open("ada", 1)
        assert await bank.balance_later("ada") == 1
        try:
            future = bank.balance_later("ada")
        except unpanic.OutOfMemory:
            dead.append("at once")
            continue
        # A task or a closure of the call may die, which nobody has called.
        with contextlib.suppress(unpanic.OutOfMemory, unpanic.CallInterrupted):
            assert await future == 1
        dead += ["later"] * plan.fired
    assert set(dead) == {"at once", "later"}
    assert not plan.fired


@pytest.mark.in_browser
async def test_a_file_without_names_shows_what_glue_allocates(inject):
    """Who allocates inside of Rust cannot be told then: the name that is looked up is left."""
    import unpanic
    from pyodide.http import pyfetch

    wasm = await (await pyfetch("/fixtures/bank/pkg/abort/bank_bg.wasm")).bytes()
    bank = await load("abort", "bank", recovery="auto", wasm=without_names(wasm))
    dead = 0
    for plan in inject.each(bank, "oom", on="balance_of", at="allocation"):
        with contextlib.suppress(unpanic.OutOfMemory, unpanic.RustError):
            bank.balance_of("nobody")
        dead += plan.fired
    assert dead == 1


def without_names(wasm):
    """Returns a Wasm file without the names of functions, which come last."""
    return wasm[: wasm.rindex(b"\x04name") - 4]


@pytest.mark.in_browser
async def test_code_without_marks_dies_too(inject):
    """Long calls run in another instance, which has the memory of the first."""
    import asyncio

    import unpanic
    from pyodide.code import run_js

    import js

    checks = js.unpanicPlain = run_js("({every: 1, calls: 0})")
    try:
        bank = await load("abort", "bank", recovery="auto")
        before = checks.calls
        while checks.calls == before:
            await asyncio.sleep(0.01)
            bank.open("ada", 1)
        for at in ("entry", "allocation"):
            inject(bank, "trap", on="open", at=at)
            with pytest.raises(unpanic.Trap):
                bank.open("bob", 1)
        assert bank.total() == 1
    finally:
        js.unpanicPlain = None


@pytest.mark.in_browser
async def test_drawn_plans(inject):
    """A number always draws the same plan. What is given is not drawn, and nobody has to reach such a plan."""
    bank = await load("abort", "bank")
    plans = [str(inject(bank, seed=seed)) for seed in range(40)]
    assert plans == [str(inject(bank, seed=seed)) for seed in range(40)]
    assert len(set(plans)) > 30
    assert not any("hang" in plan for plan in plans)
    assert str(inject(bank, "trap", on="add", call=2, at="return", seed=1)) == (
        'inject(bank, "trap", on="add", call=2, at="return")'
    )


@pytest.mark.in_browser
async def test_what_is_no_plan(inject):
    bank = await load("abort", "bank")
    for arguments, words in (
        ({"on": "deposits"}, "no function 'deposits'; it has Account, Account.balance, Account.deposit"),
        ({"on": "add", "kind": "fire"}, "kind 'fire' is none of 'panic', 'trap'"),
        ({"on": "add", "at": "start"}, "at='start' is none of 'entry', 'return'"),
        ({"on": "add", "call": 0}, "the next one is 1"),
        ({"on": "add", "n": 0}, "the first is 1"),
        ({"on": "add", "n": 2}, "a call has one entry"),
        ({}, "needs a kind and `on`, or a `seed`"),
    ):
        with pytest.raises(ValueError, match=words):
            inject(bank, **{"kind": "trap", **arguments})


@pytest.mark.in_browser
async def test_a_plan_that_nobody_reaches_is_told(inject):
    """A test fails on that, unless the plan was drawn."""
    bank = await load("abort", "bank")
    other = type(inject)()
    other(bank, seed=1)
    other(bank, "trap", on="total")
    for _ in other.each(bank, "trap", on="add", at="import"):
        bank.add(1, 2)
    assert other.finish() == [
        'inject: nothing reached inject(bank, "trap", on="total"): there were 0 such calls',
        'inject: nothing reached inject(bank, "trap", on="add", at="import"): that call has 0 imports',
    ]


async def load_early():
    global early
    early = await load("abort", "bank", recovery="auto")


async def load_again():
    """Returns what is said of a module that was loaded too early, and how often an allocation of a later one fails."""
    import unpanic
    from unpanic_injecting import Inject

    inject = Inject()
    with pytest.raises(ValueError, match="loaded before the fixture `inject`") as raised:
        inject(early, "trap", on="add")
    later = await load("abort", "bank", recovery="auto", name="later")
    dead = 0
    for plan in inject.each(later, "oom", on="balance_of", at="allocation"):
        with contextlib.suppress(unpanic.OutOfMemory, unpanic.RustError):
            later.balance_of("nobody")
        dead += plan.fired
    return str(raised.value), dead


def functions():
    import js

    return [str(getattr(js.WebAssembly, name)) for name in ("Module", "Instance", "compile", "instantiate")]


def test_a_file_that_was_compiled_before(py):
    """It is compiled again, so that what allocates can be seen. Without the fixture, `WebAssembly` is the browser's."""
    assert all("[native code]" in text for text in py.run(functions))
    py.run(load_early)
    py.watch_calls()
    said, dead = py.run(load_again)
    assert said == "bank was loaded before the fixture `inject`: name `inject` first"
    assert dead > 1
