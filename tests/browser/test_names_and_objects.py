"""Names and objects that a user holds across a reset (rules 2 and 5)."""

import pytest

from tests.browser.builds import BUILDS, RESETTING, caught, load
from tests.places import EVERYWHERE


def name_of(error):
    return type(error).__name__ if error else None


async def held_names(build):
    import unpanic

    bank = await load(build, "bank", panic_hook=lambda _: None)
    add, count, open_, account_class, named = bank.add, bank.count, bank.open, bank.Account, bank.Account.named
    account = account_class("ada", 5)
    count()
    caught(account.withdraw, 6)
    open_("bob", 7)
    made = account_class("eve", 8)
    found = {
        "same objects": [bank.add is add or bank.add == add, bank.Account is account_class],
        "works": [add(2, 3), count(), bank.balance_of("bob"), made.balance, named("zoe").owner],
        "isinstance": [isinstance(account, bank.Account), isinstance(made, account_class)],
    }
    unpanic.unload(bank)
    return found


@EVERYWHERE
@pytest.mark.parametrize("build", BUILDS)
def test_names_stay_right(py, build):
    """Functions, classes and static methods that the user holds since before a crash work after it."""
    assert py.run(held_names, build=build) == {
        "same objects": [True, True],
        "works": [5, 2 if build == "unwind" else 1, 7, 8, "zoe"],
        "isinstance": [True, True],
    }


async def objects_after_reset(build, objects):
    import warnings

    import unpanic

    bank = await load(build, "bank", objects=objects, panic_hook=lambda _: None)
    account = bank.Account("ada", 5)
    account.deposit(10)
    handed_out = bank.Account.named("bob")
    caught(bank.transfer, "x", "y", 1)
    found = {}
    with warnings.catch_warnings(record=True) as caught_warnings:
        warnings.simplefilter("always")
        error = caught(lambda: account.balance)
        found["own"] = name_of(error) or account.balance
        found["handed out"] = name_of(caught(lambda: handed_out.owner))
        found["warnings"] = [warning.category.__name__ for warning in caught_warnings]
        found["place"] = {warning.filename.rsplit("/", 1)[-1] for warning in caught_warnings} - {
            "test_names_and_objects.py"
        }
        found["place"] = sorted(found["place"])
    caught(bank.transfer, "x", "y", 1)
    with warnings.catch_warnings(record=True) as caught_warnings:
        warnings.simplefilter("always")
        found["again"] = name_of(caught(lambda: account.balance))
        found["warned again"] = len(caught_warnings)
    unpanic.unload(bank)
    return found


@EVERYWHERE
@pytest.mark.parametrize("build", RESETTING)
def test_objects_are_made_again(py, build):
    """An object that Python made is made again with the same arguments, with one warning; others are stale."""
    assert py.run(objects_after_reset, build=build, objects="recreate") == {
        "own": 5,
        "handed out": "StaleObjectError",
        "warnings": ["StateLostWarning"],
        "place": [],
        "again": None,
        "warned again": 0,
    }


@pytest.mark.parametrize("build", RESETTING)
def test_objects_can_be_stale(py, build):
    """With objects="stale" old objects raise, and no object is made."""
    found = py.run(objects_after_reset, build=build, objects="stale")
    assert [found["own"], found["handed out"], found["warnings"]] == ["StaleObjectError", "StaleObjectError", []]


async def changed_objects(build, rounds):
    import warnings

    faults = await load(build, panic_hook=lambda _: None)
    read, written, called, passed = things = [faults.Thing(number) for number in range(4)]
    texts = []
    for number in range(rounds):
        values = [read.value]
        written.value = 7
        caught(called.with_callback, lambda: None)
        faults.sum(passed, passed)
        caught(faults.trap_unreachable)
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            values = [thing.value for thing in things]
        texts.append([str(warning.message).partition("; ")[2] for warning in shown])
        if number:
            texts[-1].append(str(shown[0].message).partition("; ")[0])
    return values, texts


@pytest.mark.parametrize("build", BUILDS)
def test_objects_that_had_been_changed_warn_every_time(py, build):
    """A changed object warns after each reset. An object that was only read is the same as before, and warns once."""
    values, texts = py.run(changed_objects, build=build, rounds=3)
    assert values == [0, 1, 2, 3]
    held, changed = "what it held since is lost.", "what was changed in it since is lost."
    again = "This faults.Thing was made again after the reset to generation"
    assert texts == [[held, *[changed] * 3], [*[changed] * 3, f"{again} 2"], [*[changed] * 3, f"{again} 3"]]


async def tracked(build):
    import warnings

    import unpanic

    bank = await load(build, "bank", panic_hook=lambda _: None)
    account = bank.Account.named("ada")
    assert_same = unpanic.track(account, lambda: bank.Account("rebuilt", 42)) is account
    caught(bank.transfer, "x", "y", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [assert_same, account.owner, account.balance]
    wrong = unpanic.track(bank.Account.named("eve"), lambda: "not an account")
    caught(bank.transfer, "x", "y", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found.append(name_of(caught(lambda: wrong.owner)))
    unpanic.unload(bank)
    return found


@pytest.mark.parametrize("build", RESETTING)
def test_track(py, build):
    """`track` sets how an object is made again, also one that Rust returned; a wrong rebuild is refused."""
    assert py.run(tracked, build=build) == [True, "rebuilt", 42, "TypeError"]


async def free_and_move(build):
    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    thing = faults.Thing(1)
    thing.free()
    thing.free()
    freed = caught(lambda: thing.value)
    moved = faults.Thing(2)
    value = faults.consume_thing(moved)
    after_move = caught(lambda: moved.value)
    also_moved = faults.Thing(3)
    also_moved.consume()
    after_consume = caught(faults.sum, also_moved, faults.Thing(1))
    with faults.Thing(4) as managed:
        inside = managed.value
    after_with = caught(lambda: managed.value)
    found = {
        "values": [value, inside, faults.drops() >= 3],
        "errors": [name_of(error) for error in (freed, after_move, after_consume, after_with)],
        "says": ["freed" in str(freed), "consume_thing" in str(after_move), "Thing.consume" in str(after_consume)],
        "crashes": unpanic.status(faults).crashes,
        "generation": unpanic.status(faults).generation,
    }
    unpanic.unload(faults)
    return found


@pytest.mark.parametrize("build", BUILDS)
def test_freed_and_moved_objects(py, build):
    """Use of a freed or moved object raises before Rust is entered, and the error names the call that consumed it."""
    assert py.run(free_and_move, build=build) == {
        "values": [2, 4, True],
        "errors": ["StaleObjectError"] * 4,
        "says": [True, True, True],
        "crashes": {},
        "generation": 0,
    }


async def stale_free(build):
    import gc

    import unpanic

    faults = await load(build, panic_hook=lambda _: None)
    old = [faults.Thing(number) for number in range(50)]
    caught(faults.panic_message)
    new = [faults.Thing(number) for number in range(50)]
    for thing in old[:25]:
        thing.free()
    del old, thing
    gc.collect()
    found = [[thing.value for thing in new] == list(range(50)), faults.drops(), faults.sum(new[1], new[2])]
    unpanic.unload(faults)
    return found


@pytest.mark.parametrize("build", RESETTING)
def test_stale_objects_free_nothing(py, build):
    """free() and the collector do not touch objects of the next generation."""
    assert py.run(stale_free, build=build) == [True, 0, 3]


async def locked_object(build):
    import unpanic

    faults = await load(build, objects="recreate", panic_hook=lambda _: None)
    thing = faults.Thing(7)
    error = caught(thing.explode)
    value = thing.value
    unpanic.unload(faults)
    return [name_of(error), value]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build", BUILDS)
def test_no_object_stays_locked(py, build):
    """A panic inside a method that borrowed the object mutably leaves it usable."""
    assert py.run(locked_object, build=build) == ["RustPanic", 7]


async def use_hidden_class():
    import unpanic

    resvg = await unpanic.load("/npm/@resvg/resvg-wasm/index.mjs")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><rect width="9" height="9" fill="red"/></svg>'
    image = resvg.Resvg(svg).render()
    seen = [type(image).__name__, type(image).__module__, hasattr(resvg, "RenderedImage"), image.width]
    seen += [image.asPng()[1:4].decode(), list(image.pixels[:4])]
    unpanic.reset(resvg)
    try:
        seen.append(image.height)
    except unpanic.StaleObjectError as error:
        seen.append(str(error))
    try:
        type(image)()
    except TypeError as error:
        seen.append(str(error))
    unpanic.unload(resvg)
    return seen


def test_an_object_of_a_class_that_the_glue_does_not_export(py):
    """It is an ordinary Python object, whose class has no name in the module."""
    *seen, stale, made = py.run(use_hidden_class)
    assert seen == ["RenderedImage", "resvg_wasm", False, 4, "PNG", [255, 0, 0, 255]]
    assert stale.startswith("This resvg_wasm.RenderedImage was made by generation 0, which is gone")
    assert made.startswith("cannot create 'RenderedImage' instances")


async def borrow_for_a_while(build):
    import gc

    import unpanic

    moves = await load(build, "moves", panic_hook=lambda _: None)
    part = moves.Part("oak")
    call = part.rename_later("elm", 20)
    found = [repr(part), await call, repr(part), str(part)]
    call = moves.Part("ash").rename_later("fir", 20)
    measured = moves.length_later(moves.Part("birch"), 20)
    gc.collect()
    with moves.Part("yew") as part:
        last = part.rename_later("holly", 20)
    found += [await call, await measured, await last, unpanic.status(moves).crashes]
    part = moves.Part("oak")
    part.free()
    return [*found, type(caught(str, part)).__name__]


@pytest.mark.parametrize("build", ["abort", "reset", "native"])
def test_an_object_that_a_call_in_flight_borrows(py, build):
    """It is shown without its values, and lives until the call ends, even if it is freed: nothing crashes."""
    # A namespace's objects show only public fields.
    shown = ["<moves.Part …>", 3, "<moves.Part …>" if build == "native" else "<moves.Part name='elm'>", "the part elm"]
    assert py.run(borrow_for_a_while, build=build) == [*shown, 3, 5, 5, {}, "StaleObjectError"]


async def identities(build):
    values = await load(build, "values")
    item, like_it = values.Item(1), values.Item(1)
    back = values.echo([item, {"inside": item}])
    return [
        item == values.echo(item),
        back[0] == item and back[1]["inside"] == item,
        item != like_it,
        len({item, like_it, values.echo(item)}),
    ]


@pytest.mark.parametrize("build", BUILDS)
def test_objects_are_equal_if_rust_has_one(py, build):
    """An object equals itself if Rust returns it, and no other object with the same content; sets agree."""
    assert py.run(identities, build=build) == [True, True, True, 2]
