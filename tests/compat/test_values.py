"""Values for packages from npm: containers that they declare, and arrays that they write into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.builds import caught

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser


async def begin_cedarling(glue: str) -> list[Any]:
    import unpanic

    cedarling = await unpanic.load(glue)
    config = {
        "CEDARLING_APPLICATION_NAME": "unpanic",
        "CEDARLING_LOG_TYPE": "off",
        "CEDARLING_POLICY_STORE_LOCAL": "{}",
    }
    messages = []
    for make in (cedarling.Cedarling.new_from_map, cedarling.init):
        try:
            await make(config)
        except unpanic.RustError as error:
            messages.append(str(error))
    return [messages, sum(unpanic.status(cedarling).crashes.values())]


async def move_bodies(glue: str) -> list[Any]:
    from array import array

    import unpanic

    rapier = await unpanic.load(glue)
    bodies, zero = rapier.RawRigidBodySet(), rapier.RawVector.zero
    place, turned = rapier.RawVector(1.5, -2), rapier.RawRotation.identity()
    dynamic = rapier.RawRigidBodyType.Dynamic
    handle = bodies.create_rigid_body(
        True, place, turned, 1, 1, False, zero(), zero(), 0, 0, True, True, True, 0, 0, dynamic, True, False, 0, False,
        0, 0, 0,
    )  # fmt: skip
    out, listed = array("f", [0, 0]), [0, 0]
    bodies.rb_translation(handle, out)
    bodies.rb_translation(handle, listed)
    wrong = caught(bodies.rb_translation, handle, "text")
    return [out.tolist(), listed, type(wrong).__name__]


@pytest.mark.parametrize(
    ("function", "glue", "expected"),
    [
        # Both functions read the map, and name the entries that it lacks.
        (
            begin_cedarling,
            "@janssenproject/cedarling_wasm/cedarling_wasm.js",
            [
                [
                    "Could not load policy: failed to parse the policy store from policy_store json: missing required "
                    "field 'policy_stores' in policy store"
                ]
                * 2,
                0,
            ],
        ),
        (move_bodies, "@dimforge/rapier2d-compat/dist/rapier_wasm2d.js", [[1.5, -2], [1.5, -2], "TypeError"]),
    ],
    ids=["a declared Map", "an out parameter"],
)
def test_values(py: InBrowser, function: Any, glue: str, expected: Any):
    """A dict becomes the declared `Map`, and the caller's array gets what Rust writes."""
    assert py.run(function, glue=f"/compat/{glue}") == expected
