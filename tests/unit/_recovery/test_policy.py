"""Each strategy reacts to a crash in its way, and `load` chooses one."""

from __future__ import annotations

from typing import Any

import pytest
from unpanic import RustPanic
from unpanic._recovery.policy import RECOVERIES, Off, Policy, Reset, Unwind, choose_policy
from unpanic._recovery.states import Event

CRASH = RustPanic("boom", module="bank", call="f")


class Recorder:
    """A module that notes the actions of a policy."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def replace(self) -> None:
        self.done.append("replaced")

    def terminate(self, event: Event, reason: str, cause: Any) -> None:
        self.done.append((event, reason, cause))


@pytest.mark.parametrize(
    ("recovery", "unwinds", "policy", "name"),
    [
        ("auto", False, Reset, "reset"),
        ("auto", True, Unwind, "unwind"),
        ("reset", True, Reset, "reset"),
        ("none", False, Off, "none"),
        ("none", True, Off, "none"),
    ],
)
def test_which_policy_is_chosen(recovery: str, unwinds: bool, policy: type[Policy], name: str):
    """The user's option decides, and `auto` leaves the choice to the build."""
    chosen = choose_policy(recovery, unwinds=unwinds)
    assert (type(chosen), chosen.name) == (policy, name)


def test_the_options_are_those_of_the_policies():
    """Each option that `load` accepts has a policy."""
    assert RECOVERIES == ("auto", "reset", "rollback", "none")
    for recovery in RECOVERIES:
        choose_policy(recovery, unwinds=False)
    with pytest.raises(KeyError):
        choose_policy("undo", unwinds=False)


@pytest.mark.parametrize("crash", [None, CRASH])
@pytest.mark.parametrize("policy", [Reset(), Unwind()])
def test_a_reset_makes_the_next_generation(policy: Policy, crash: Any):
    """A generation follows a crash, and a reset that the user requests."""
    module = Recorder()
    policy.recover(module, crash)
    assert module.done == ["replaced"]
    assert policy.replaces


def test_without_recovery_a_crash_is_the_end():
    """The user may still reset."""
    module, policy = Recorder(), Off()
    policy.recover(module, None)
    policy.recover(module, CRASH)
    assert module.done == ["replaced", (Event.RECOVERY_OFF, "recovery is off", CRASH)]
    assert not policy.replaces


@pytest.mark.parametrize(
    ("policy", "recovery", "outcome"),
    [
        (Reset(), "reset", "reset to generation 3, state lost"),
        (Unwind(), "reset", "reset to generation 3, state lost"),
        (Off(), "none", "the module has ended: recovery is off"),
    ],
)
def test_a_crash_says_what_it_leads_to(policy: Policy, recovery: str, outcome: str):
    """It says so in advance. A crash that unwound says the same under every policy."""
    crash = RustPanic("boom", module="bank", call="f")
    policy.announce(crash, 3)
    assert (crash.recovery, crash.state_kept, crash.outcome) == (recovery, False, outcome)
    policy.announce_unwinding(crash)
    assert (crash.recovery, crash.state_kept, crash.outcome) == ("unwind", True, "unwound, state kept")
