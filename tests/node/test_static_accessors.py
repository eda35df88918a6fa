"""Static getters and setters of exported classes: attributes of the class itself."""

import pytest

from tests.browser.builds import caught

BUILDS = ["abort", "reset", "unwind"]


async def use(build, recovery):
    import unpanic

    gauges = await unpanic.load(f"/fixtures/gauges/pkg/{build}/gauges.js", recovery=recovery, panic_hook=lambda _: None)
    Gauge = gauges.Gauge  # noqa: N806 - a class

    class Mine(Gauge):
        pass

    found = {
        "class": [Gauge.upper_limit, Gauge.upperLimit, Gauge.unit],
        "object": [Mine(7).upper_limit, Gauge(200).level],
        "type": [type(Gauge.usual_gauge) is Gauge, Gauge.usual_gauge.level],
        "shown": [name for name in dir(Gauge) if name.startswith(("upper", "unit"))],
        "repr": repr(Gauge(3)),
    }
    Gauge.upper_limit = 40
    Mine.unit = "psi"
    found["set"] = [Gauge.upper_limit, Mine(200).level, Gauge.unit]
    Mine(1).upper_limit = 41
    found["set by object"] = [Gauge.upper_limit]
    found["refused"] = [
        [type(error).__name__, str(error)]
        for error in (
            caught(setattr, Gauge, "upper_limit", 256.5),
            caught(setattr, Gauge, "unit", None),
            caught(setattr, Gauge, "usual_gauge", 1),
            caught(setattr, Gauge(1), "usual_gauge", 1),
        )
    ]
    crash = caught(lambda: Gauge.broken_limit)
    found["crash"] = [type(crash).__name__, crash.call]
    found["after"] = [Gauge.upper_limit, unpanic.status(gauges).generation]
    Gauge.extra = 5
    found["own"] = [Gauge.extra, "extra" in vars(Gauge)]
    return found


# The limit and the generation after a crash that had set the limit to 7. Where panics unwind, a reset is not needed.
AFTER = {"rollback": [41, 0], "reset": [100, 1]}


@pytest.mark.parametrize("recovery", AFTER)
@pytest.mark.parametrize("build", BUILDS)
def test_static_accessors(py, build, recovery):
    """A static getter gives an attribute of the class, a static setter takes it; both convert, and survive."""
    found = py.run(use, build=build, recovery=recovery)
    refused = found.pop("refused")
    assert [kind for kind, _ in refused] == ["TypeError", "TypeError", "AttributeError", "AttributeError"]
    assert refused[0][1].startswith("Gauge.upper_limit: ")
    assert refused[2][1] == refused[3][1] == "property 'usual_gauge' of 'Gauge' has no setter"
    assert found == {
        "class": [100, 100, "bar"],
        "object": [100, 100],
        "type": [True, 50],
        "shown": ["unit", "upper_limit"],
        "repr": "<gauges.Gauge level=3>",
        "set": [40, 40, "psi"],
        "set by object": [41],
        "crash": ["RustPanic", "Gauge.broken_limit"],
        "after": [7, 0] if (build, recovery) == ("unwind", "reset") else AFTER[recovery],
        "own": [5, True],
    }
