"""Synchronous calls wait for the next instance where Python can be suspended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from unpanic import CallInterrupted, ModuleTerminated, OutOfMemory, StaleObjectError
from unpanic._recovery.states import State

from tests.unit.fakes import FakeDriver, crash, function, make_module, obstacle, struct

FUNCTIONS = [
    function("numbers", "i32", "i32", result="i32", numeric=True),
    function("nothing", numeric=True),
    function("text", "string", result="string"),
    function("slow", result="float", is_async=True),
]


class World:
    """A module whose next instance is on its way; `meanwhile` is what happens while a call waits."""

    def __init__(self, *, waits: bool = True) -> None:
        bodies = {"numbers": lambda a, b: a + b, "nothing": lambda: None, "text": str.upper, "slow": lambda: 1}
        classes = [struct("Account", getters=[function("balance", result="i32")])]
        bodies["Account.balance"] = lambda id_: id_
        self.driver = FakeDriver({"functions": FUNCTIONS, "classes": classes, "waits": waits}, bodies)
        self.context, self.supervisor, self.bank = make_module(self.driver, panic_hook=lambda _panic: None)
        self.account = self.bank.Account()
        self.waits = 0
        self.driver.failure = "preparing"
        self.panic = crash(self.supervisor)
        self.meanwhile(self.arrive)

    def meanwhile(self, happen: Callable[[], object] | None) -> None:
        def count() -> None:
            self.waits += 1
            if happen:
                happen()

        self.context.browser.meanwhile = count  # type: ignore[attr-defined]

    def arrive(self, failure: str = "") -> None:
        self.driver.failure = failure
        self.supervisor.prepared(obstacle(failure) if failure else "", failure)

    def crash_again(self) -> None:
        self.arrive()
        self.driver.failure = "preparing"
        crash(self.supervisor)


@pytest.fixture
def loop() -> Any:
    """The event loop, which never turns here."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def world(loop: asyncio.AbstractEventLoop) -> World:  # noqa: ARG001 - there has to be one
    return World()


WAYS: dict[str, Callable[[World], object]] = {
    "numbers": lambda world: world.bank.numbers(2, 3),
    "nothing": lambda world: world.bank.nothing(),
    "text": lambda world: world.bank.text("x"),
    "constructor": lambda world: world.bank.Account(),
    "getter": lambda world: world.account.balance,
}


@pytest.mark.filterwarnings("ignore::unpanic.StateLostWarning")
@pytest.mark.parametrize("way", WAYS)
def test_every_way_waits(world: World, way: str):
    """The call runs in the next generation, and the one after it finds that at once."""
    for _ in range(2):
        WAYS[way](world)
        assert (world.waits, world.supervisor.generation, world.supervisor.state) == (1, 1, State.READY)


@pytest.mark.parametrize("way", WAYS)
def test_where_nothing_can_wait_there_is_an_error(world: World, way: str):
    """It says where a call waits. As soon as one can wait, it does."""
    if way in ("numbers", "nothing"):
        return  # JavaScript says so, because only there is it seen that a generation is gone
    world.context.browser.meanwhile = None  # type: ignore[attr-defined]
    with pytest.raises(CallInterrupted, match="where Python can be suspended") as caught:
        WAYS[way](world)
    assert caught.value.crash is world.panic


def test_functions_of_numbers_make_the_detour_once(world: World):
    """Afterwards each is the bare lane again: no Python code runs in a call."""
    bank = world.bank
    assert [bank.numbers.func.func.__name__, bank.nothing.func.func.__name__] == ["_wait", "_wait"]
    assert bank.numbers(2, 3) == 5
    assert [bank.numbers.func.__name__, bank.nothing.func.__name__] == ["lane", "lane"]
    assert (bank.numbers.args, bank.numbers.keywords, bank.numbers.__name__) == ((), {}, "numbers")


def test_a_module_that_never_waits_does_not_look(loop: asyncio.AbstractEventLoop):  # noqa: ARG001 - as above
    """Its functions are the same as ever, also while an instance is missing."""
    world = World(waits=False)
    assert world.bank.numbers.func.__name__ == "lane"
    assert "generation" not in world.bank.text.__code__.co_names
    assert "generation" in World().bank.text.__code__.co_names


@pytest.mark.parametrize(
    ("failure", "error"),
    [("could not allocate memory", OutOfMemory), ("boom", ModuleTerminated)],
)
def test_what_keeps_an_instance_from_being_made_is_raised(world: World, failure: str, error: type[Exception]):
    """One wait is enough to hear of it."""
    world.meanwhile(lambda: world.arrive(failure))
    with pytest.raises(error, match=failure):
        world.bank.text("x")
    assert world.waits == 1


def test_an_instance_that_nobody_heard_of_is_found(world: World):
    """The handler that tells of it was interrupted."""
    world.meanwhile(lambda: setattr(world.driver, "failure", ""))
    assert world.bank.text("x") == "X"
    assert world.waits == 1


def test_an_unloaded_module_keeps_nobody_waiting(world: World):
    """The call raises what any call of an unloaded module raises."""
    world.meanwhile(world.supervisor.unload)
    with pytest.raises(ModuleTerminated, match="it was unloaded"):
        world.bank.text("x")


def test_a_wait_is_bounded(world: World):
    """Other tasks let each instance crash before the call can run."""
    world.meanwhile(world.crash_again)
    with pytest.raises(CallInterrupted):
        world.bank.text("x")
    assert world.waits == 10


def test_callbacks_of_on_reset_do_not_wait(world: World):
    """While they fill a generation, no other task may run. A call from there gets the error."""
    raised: list[Any] = []

    def fill(_bank: Any, _crash: Any) -> None:
        if not raised:
            world.driver.failure = "preparing"
            crash(world.supervisor)
            with pytest.raises(CallInterrupted) as caught:
                world.bank.text("x")
            raised.append(caught.value)

    world.supervisor.reset_callbacks.append(fill)
    world.driver.failure = ""
    assert world.bank.text("x") == "X"
    # The call around it has waited, for the generation that follows.
    assert (len(raised), world.waits, world.supervisor.generation) == (1, 1, 2)


def test_an_object_is_looked_at_again_after_a_wait(world: World):
    """Another task has freed it, or has made it again."""

    def free() -> None:
        world.arrive()
        world.account.free()

    world.meanwhile(free)
    with pytest.raises(StaleObjectError, match="was freed"):
        _ = world.account.balance


@pytest.mark.filterwarnings("ignore::unpanic.StateLostWarning")
def test_an_object_is_made_again_once(world: World):
    """While the user's function makes it, it may wait, and another task may have done so."""
    world.arrive()
    made: list[Any] = []

    def rebuild() -> Any:
        if not made:
            made.append(0)
            made[0] = world.account.balance
        return world.bank.Account()

    world.account.__rust_handle__.rebuild = rebuild
    assert world.account.balance == made[0]
    assert world.supervisor.generation == 1


def test_async_calls_wait_where_rust_asked_for_a_reset(world: World):
    """There the next instance is ordered by the call that comes first."""

    async def main() -> None:
        world.arrive()
        driver, supervisor = world.driver, world.supervisor
        driver.failure = "preparing"
        event = driver.die(*[None] * 9, "", driver.generation, True, False, None, [], True)
        supervisor.retired(*event)
        assert supervisor.state is State.RECOVERING
        waiting = world.bank.slow()
        await asyncio.sleep(0)
        assert (supervisor.state, driver.calls, waiting.done()) == (State.WAITING, 0, False)
        world.arrive()
        await asyncio.sleep(0)
        supervisor.settled(1, 2.5)
        assert await waiting == 2.5

    asyncio.run(main())


def test_functions_of_numbers_wait_where_rust_asked_for_a_reset(world: World):
    """They go through Python from then on, because JavaScript could not wait."""
    world.arrive()
    assert world.bank.numbers(2, 3) == 5
    world.driver.failure = "preparing"
    event = world.driver.die(*[None] * 9, "", world.driver.generation, True, False, None, [], True)
    world.supervisor.retired(*event)
    assert world.bank.numbers(2, 3) == 5
    assert (world.waits, world.supervisor.generation) == (1, 2)
