"""The states of a module: each transition of the table happens, no other one can, and the documentation has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unpanic._recovery import states
from unpanic._recovery.states import NONE, TRANSITIONS, Event, Lifecycle, State, UndefinedTransition, follow
from unpanic._recovery.supervisor import Supervisor

from scripts.states import PAGE, PICTURE, page, picture
from tests.unit.fakes import FakeDriver, crash, function, make_module

NO_MEMORY = "could not allocate memory"
START_CRASH = "The start function of bank crashed: boom."

type Seen = set[tuple[State, Event]]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Which lines of the table were used."""
    used: Seen = set()

    def watched(state: State, event: Event) -> State:
        following = follow(state, event)
        used.add((state, event))
        return following

    monkeypatch.setattr(states, "follow", watched)
    return used


class World:
    """A module that has crashed, in a state of the test's choice."""

    def __init__(self, state: State, **options: Any) -> None:
        self.driver = FakeDriver({"functions": [function("f")]})
        settings = {"panic_hook": lambda _: None, "restart_budget": 1} | options
        _, self.supervisor, _ = make_module(self.driver, **settings)
        if state in (State.WAITING, State.STARVED):
            self.driver.failure = "preparing" if state is State.WAITING else NO_MEMORY
            crash(self.supervisor)
        elif state is State.RECOVERING:
            crash(self.supervisor, clear=False, can_roll_back=options.get("recovery") == "rollback")
        elif state is State.TERMINATED:
            crash(make_ending(self.supervisor))
        assert self.supervisor.state is state

    def renew(self, failure: str) -> None:
        self.driver.failure = failure
        self.supervisor.recover(False)


def make_ending(supervisor: Supervisor) -> Supervisor:
    driver: Any = supervisor.context.driver
    driver.failure = "no such import"
    return supervisor


def crash_in_a_callback(world: World) -> None:
    """The generation dies while it is filled."""
    crashes = iter([True])
    world.supervisor.reset_callbacks.append(lambda *_: next(crashes, False) and crash(world.supervisor, clear=False))
    crash(world.supervisor)


RECOVERIES = {Event.RECOVERY_OFF: "none", Event.ROLLED_BACK: "rollback"}
HAPPENINGS: dict[Event, Callable[[World], Any]] = {
    Event.DIED: lambda world: crash(world.supervisor),
    Event.ROLLED_BACK: lambda world: world.renew(""),
    Event.MADE: lambda world: world.renew(""),
    Event.AWAITED: lambda world: world.renew("preparing"),
    Event.NO_MEMORY: lambda world: world.renew(NO_MEMORY),
    Event.RECOVERY_OFF: lambda world: world.renew(""),
    Event.BUDGET_SPENT: lambda world: world.renew(START_CRASH),
    Event.NOT_STARTED: lambda world: world.renew("no such import"),
    Event.UNLOADED: lambda world: world.supervisor.unload(),
}


@pytest.mark.parametrize(("state", "event"), [*TRANSITIONS], ids=lambda key: key.name)
def test_each_transition_happens(seen: Seen, state: State, event: Event):
    """The table has no line that a module never takes; its phase is that of the state."""
    if state is State.FILLING:
        world = World(State.READY)
        crash_in_a_callback(world)
        assert world.supervisor.state is State.READY
    else:
        world = World(state, recovery=RECOVERIES.get(event, "auto"))
        HAPPENINGS[event](world)
        following = TRANSITIONS[state, event]
        # The callbacks of `on_reset` have run before anybody can look.
        assert world.supervisor.state is (State.READY if event in (Event.MADE, Event.DIED) else following)
    assert (state, event) in seen
    assert world.supervisor.phase == world.supervisor.state.phase


UNDEFINED = [(state, event) for state in State for event in Event if (state, event) not in TRANSITIONS]


@pytest.mark.parametrize(("state", "event"), UNDEFINED, ids=lambda key: key.name)
def test_no_other_transition_can_happen(state: State, event: Event):
    """An event that the table does not have in a state is an error, which names both."""
    with pytest.raises(UndefinedTransition, match=f"a module that is {state.title} cannot take the event {event.name}"):
        follow(state, event)


def test_a_module_that_is_ready_cannot_be_terminated_by_the_way():
    """`advance` takes nothing that the table does not have, and leaves the state as it was."""
    life = Lifecycle()
    with pytest.raises(UndefinedTransition):
        life.advance(Event.NOT_STARTED)
    assert life.state is State.READY


def test_the_state_follows_the_numbers():
    """The runtime writes that a generation died, and no line of Python has to run for the state to know."""
    life = Lifecycle()
    life.generation = NONE
    assert (life.state, life.phase, life.has_died) == (State.RECOVERING, "recovering", True)
    life.generation = 1
    assert (life.state, life.phase, life.has_died) == (State.FILLING, "ready", False)
    life.generation = NONE
    assert life.state is State.RECOVERING
    life.generation = 2
    assert life.state is State.FILLING
    life.filled = 2
    assert life.state is State.READY


def test_a_call_that_is_rolled_back_fills_nothing():
    """The generation that goes on has been filled before."""
    life = Lifecycle()
    life.generation = NONE
    assert life.state is State.RECOVERING
    life.begin(0)
    assert (life.state, life.generation) == (State.READY, 0)


def test_a_module_that_has_ended_does_not_come_back():
    """Whatever number is written late."""
    life = Lifecycle()
    life.generation = NONE
    life.advance(Event.NOT_STARTED)
    life.generation = 1
    assert (life.state, life.has_ended) == (State.TERMINATED, True)


def test_every_state_is_reached():
    """From `ready`, by way of the table."""
    reached = {State.READY}
    for _ in State:
        reached |= {target for (source, _), target in TRANSITIONS.items() if source in reached}
    assert reached == set(State)


def test_the_documentation_has_the_table():
    """`python -m scripts.states` writes the section and the picture; nobody changes them by hand."""
    text = PAGE.read_text("utf-8")
    assert page(text) == text
    assert PICTURE.read_text("utf-8") == picture()


def test_the_picture_cannot_leave_out_a_transition(monkeypatch: pytest.MonkeyPatch):
    """Whoever adds one to the table has to draw it."""
    monkeypatch.setitem(TRANSITIONS, (State.READY, Event.UNLOADED), State.UNLOADED)
    with pytest.raises(ValueError, match="ready: UNLOADED leads to unloaded"):
        picture()
    assert page(PAGE.read_text("utf-8")) != PAGE.read_text("utf-8")
