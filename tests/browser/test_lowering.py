"""Arguments whose conversion runs any code: Rust gets the right arguments, or none at all (rule 2).

The conversion of an argument runs Python code: `__index__`, a sequence's `__getitem__`, `__buffer__`, the function that
makes an object again. Here each of them resets, crashes or ends the module, frees or moves an object of another
argument, or raises. Each new generation has bystanders: objects at the addresses that other objects had before.
"""

import pytest

from tests.browser.builds import BUILDS, caught, load

# The number of random calls for each build.
CASES = 400


def world(lists, seed):
    """Returns everything that makes arguments which misbehave, and reports on the bystanders."""
    import dataclasses
    import datetime
    import random
    import types
    from collections.abc import Sequence

    import unpanic

    chance = random.Random(seed)

    class World:
        """The arguments of one call."""

        def __init__(self):
            self.bystanders = []
            self.names = []
            self.objects = []
            self.count = 0

        def bystand(self):
            self.bystanders += [(name, lists.Part(name)) for name in (f"bystander {n}" for n in range(4))]

        def act(self):
            """Does something to the module or to an argument."""
            self.count += 1
            if self.count > 6:
                return
            what = chance.choice(ACTIONS)
            if what == "reset":
                unpanic.reset(lists)
            elif what == "crash":
                caught(lists.boom)
            elif what == "free" and self.objects:
                chance.choice(self.objects).free()
            elif what == "consume" and self.objects:
                caught(lists.take, chance.choice(self.objects))
            elif what == "call":
                inner = [lists.Part("inner"), lists.Part("inner too")]
                found = lists.take_all(inner), lists.take_values(lists.Part("a"), [lists.Part("b")])
                if found != ("inner,inner too", "a b"):
                    raise RuntimeError(found)
            elif what == "raise":
                raise KeyError("mine")
            self.bystand()

        def name(self):
            self.names.append(f"part {len(self.names)}")
            return self.names[-1]

        def part(self):
            """Returns an object. Some objects are made again by a function of the user."""
            name = self.name()
            made = lists.Part(name)
            if chance.random() < 0.5:

                def rebuild():
                    self.act()
                    return lists.Part(name)

                unpanic.track(made, rebuild)
            self.objects.append(made)
            return made

        def evil(self):
            return chance.random() < 0.4

    class Number:
        """A number of a user's class."""

        def __init__(self, home, number):
            self.home, self.number = home, number

        def __index__(self):
            self.home.act()
            return self.number

        def __float__(self):
            self.home.act()
            return float(self.number)

    class Items(Sequence):
        """A sequence that computes its items when they are read."""

        def __init__(self, home, items):
            self.home, self.items = home, items

        def __len__(self):
            return len(self.items)

        def __getitem__(self, at):
            self.home.act()
            return self.items[at]

    class Buffer:
        """Gives its bytes when they are read."""

        def __init__(self, home, data):
            self.home, self.data = home, data

        def __buffer__(self, _flags):
            self.home.act()
            return memoryview(self.data)

    class Mapping(dict):
        """A dict whose items come from elsewhere."""

        def items(self):
            self.home.act()
            return super().items()

    class Computed:
        """The base class of a record that computes a field when the field is read."""

        def __getattribute__(self, name):
            if name == "parts":
                object.__getattribute__(self, "_home").act()
            return object.__getattribute__(self, name)

    record = dataclasses.make_dataclass("Record", ["parts"], bases=(Computed,))

    class Zone(datetime.tzinfo):
        """A time zone that runs code when it is used."""

        def __init__(self, home):
            self.home = home

        def utcoffset(self, _time):
            self.home.act()
            return datetime.timedelta(0)

        def dst(self, _time):
            return None

    def data(home):
        """Returns a value without a type, and the names of the objects that Rust takes out of it."""
        parts = [home.part() for _ in range(chance.randrange(3))]
        names = ",".join(home.names[len(home.names) - len(parts) :])
        kind = chance.randrange(5)
        if kind == 0:
            part = home.part()
            return part, home.names[-1]
        if kind == 1:
            return parts, names
        if kind == 2:
            made = Mapping(parts=parts)
            made.home = home
            return made, names
        if kind == 3:
            made = record(parts)
            made._home = home
            return made, names
        zone = datetime.datetime(2026, 1, 1, tzinfo=Zone(home))
        return {"when": zone, "parts": parts, "call": lambda: None}, names

    return types.SimpleNamespace(chance=chance, home=World, data=data, number=Number, items=Items, buffer=Buffer)


ACTIONS = ("reset", "reset", "crash", "free", "consume", "call", "raise", "nothing", "nothing", "nothing")
DOCUMENTED = ("StaleObjectError", "CallInterrupted", "KeyError", "TypeError")


async def call_with_anything(build, types, seed, cases):
    import warnings

    import unpanic

    warnings.simplefilter("ignore", unpanic.StateLostWarning)
    lists = await load(build, "lists", panic_hook=lambda _: None, types=types)
    made = world(lists, seed)
    chance = made.chance
    outcomes, wrong = {}, []
    for case in range(cases):
        home = made.home()
        home.bystand()

        def number(value, home=home):
            return made.number(home, value) if home.evil() else value

        which = chance.choice(("everything", "values", "all", "join", "take"))
        if which == "everything":
            part, first = home.part(), home.names[-1]
            parts = [home.part() for _ in range(chance.randrange(3))]
            listed = ",".join(home.names[1:])
            value, inside = made.data(home)
            args = [
                part, number(1), number(2**40), number(3), "text", made.buffer(home, b"ab") if home.evil() else b"ab",
                made.items(home, parts) if home.evil() else parts, value, lambda: "called",
            ]  # fmt: skip
            expected = f"{first} {listed} {inside} called 1 {2**40} 3 text 2"
            run = lists.take_everything
        elif which == "values":
            (one, names), (two, more) = made.data(home), made.data(home)
            args, expected, run = [one, two], f"{names} {more}", lists.take_values
        elif which == "all":
            parts = [home.part() for _ in range(3)]
            args, expected, run = (
                [made.items(home, parts) if home.evil() else parts],
                ",".join(home.names),
                lists.take_all,
            )
        elif which == "join":
            me, other = home.part(), home.part()
            args, expected, run = [other, number(7)], "part 0+part 1*7", me.join
        else:
            args, expected, run = [home.part()], "part 0", lists.take
        if home.evil():
            home.count = 0
            caught(home.act)  # the objects are stale from the beginning
        home.count = 0
        try:
            outcome = run(*args)
            if outcome != expected:
                wrong.append([case, which, outcome, expected])
            outcome = "right"
        except Exception as error:
            outcome = type(error).__name__
            if outcome not in DOCUMENTED:
                wrong.append([case, which, outcome, str(error)])
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        for name, part in home.bystanders:
            if part.__rust_handle__.generation == unpanic.status(lists).generation and part.name != name:
                wrong.append([case, which, "a bystander", part.name, name])
        if lists.add(2, 3) != 5:
            wrong.append([case, "add"])
    return [wrong[:5], outcomes, sum(unpanic.status(lists).crashes.values()), lists.take_all([lists.Part("a")])]


@pytest.mark.parametrize(
    ("build", "types"), [*((build, None) for build in BUILDS), ("native", "/fixtures/lists/pkg/reset/lists.d.ts")]
)
def test_what_arrives_is_what_was_given(py, build, types):
    """Whatever conversions do, Rust gets the right objects, or the call raises a documented exception."""
    wrong, outcomes, crashes, works = py.run(call_with_anything, build=build, types=types, seed=12, cases=CASES)
    assert wrong == []
    assert works == "a"
    # Most calls succeed, and each way to fail occurs.
    assert outcomes["right"] > CASES / 3
    assert {"StaleObjectError", "KeyError"} <= set(outcomes)
    assert crashes > 10


async def take_after_a_reset(build):
    import warnings

    import unpanic

    warnings.simplefilter("ignore", unpanic.StateLostWarning)
    lists = await load(build, "lists", panic_hook=lambda _: None)
    found = []
    for take in (lists.take_all, lambda parts: lists.take_values(*parts)):
        tracked = lists.Part("tracked")
        bystanders = []

        def rebuild(bystanders=bystanders):
            if not bystanders:
                unpanic.reset(lists)
                bystanders += [lists.Part(f"bystander {n}") for n in range(3)]
            return lists.Part("tracked")

        unpanic.track(tracked, rebuild)
        unpanic.reset(lists)
        error = None
        try:
            found.append(take([lists.Part("mine"), tracked]))
        except Exception as raised:
            error = raised
        found.append([type(error).__name__ if error else None, [part.name for part in bystanders]])
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_an_object_is_not_taken_for_another_one(py, build):
    """In `take_all([Part("mine"), tracked])`, making `tracked` again resets the module, and both are made again."""
    bystanders = [None, ["bystander 0", "bystander 1", "bystander 2"]]
    assert py.run(take_after_a_reset, build=build) == ["mine,tracked", bystanders, "mine tracked", bystanders]


async def reset_each_time(build):
    import unpanic

    lists = await load(build, "lists")
    tracked = [lists.Part("a"), lists.Part("b")]

    def rebuild():
        unpanic.reset(lists)
        return lists.Part("again")

    for part in tracked:
        unpanic.track(part, rebuild)
    unpanic.reset(lists)
    error = caught(lists.take_all, tracked)
    return [type(error).__name__, str(error), lists.add(1, 2)]


@pytest.mark.parametrize("build", ["abort", "native"])
def test_objects_that_cannot_all_live(py, build):
    """If making each of two objects again ends the other one, the call does not begin."""
    assert py.run(reset_each_time, build=build) == [
        "CallInterrupted",
        "lists.take_all did not begin: what makes its arguments again resets the module each time.",
        3,
    ]


async def unload_meanwhile():
    import unpanic

    class Last:
        """A number that ends the module."""

        def __init__(self, lists):
            self.lists = lists

        def __index__(self):
            unpanic.unload(self.lists)
            return 1

        __float__ = __index__

    found = []
    for run in (
        lambda lists: lists.add(Last(lists), 1),
        lambda lists: lists.add(1, b=Last(lists)),
        lambda lists: lists.fill([0.0], Last(lists)),
        lambda lists: lists.Part("x").join(lists.Part("y"), Last(lists)),
    ):
        error = caught(run, await load("abort", "lists"))
        found.append([type(error).__name__, str(error)])
    return found


def test_the_module_ends_while_an_argument_is_converted(py):
    """After `unload` in an `__index__`, the call says that the module has ended."""
    found = py.run(unload_meanwhile)
    assert [kind for kind, _ in found] == ["ModuleTerminated", "ModuleTerminated", "TypeError", "ModuleTerminated"]
    assert found[0][1] == "lists.add cannot run: the module has ended (it was unloaded). Load it again."
