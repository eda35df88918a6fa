"""Packages from npm that throw on purpose, or whose callbacks fail: the caller's exception, and the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.builds import caught

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser


async def load_package(path, **options):
    import unpanic

    return await unpanic.load(f"/compat/{path}", **options)


def numbers(module):
    """Returns the cost: generations, and crashes by kind."""
    import unpanic

    state = unpanic.status(module)
    return [state.generation, dict(state.crashes)]


async def rewrite(times):
    """In glue of 0.2.74, an `Err` leaves Rust as an exception."""
    rewriter = await load_package("htmlrewriter/dist/html_rewriter.js")
    out = []

    def note(chunk):
        out.append(bytes(chunk).decode())

    class Paragraphs:
        def element(self, element):
            element.setAttribute("seen", "yes")

    page = rewriter.HTMLRewriter(note, {"enableEsiTags": False})
    page.on("p", {"element": Paragraphs().element})
    errors = {str(caught(page.on, "p:::bad(", {"element": Paragraphs().element})) for _ in range(times)}
    names = {type(caught(page.on, "p:::bad(", {"element": Paragraphs().element})).__name__}
    page.write(b"<p>hi</p>")
    page.end()

    mine = KeyError("mine")

    def fail(_element):
        raise mine

    other = rewriter.HTMLRewriter(note, {"enableEsiTags": False})
    other.on("p", {"element": fail})
    error = caught(other.write, b"<p>hi</p>") or caught(other.end)
    return [list(errors), list(names), "".join(out), error is mine or repr(error), numbers(rewriter)]


def test_an_err_of_old_glue(py: InBrowser):
    """It raises a RustError, earlier handlers stay, and a callback's exception comes back as itself."""
    errors, names, out, own, cost = py.run(rewrite, times=2000)
    assert len(errors) == 1
    assert "pseudo-class" in errors[0]
    assert (names, out, own, cost) == (["RustError"], '<p seen="yes">hi</p>', True, [0, {}])


async def transform(times):
    """Glue of 0.2.72 does not let JavaScript move the stack pointer."""
    swc = await load_package("@swc/wasm-web-2021/wasm.js")
    names = {type(caught(swc.transformSync, "let = = ", {})).__name__ for _ in range(times)}
    return [list(names), swc.transformSync("let a = 1", {})["code"], numbers(swc)]


def test_bad_sources(py: InBrowser):
    """Each bad source raises a RustError, and an instance survives many of them."""
    names, code, (generation, crashes) = py.run(transform, times=60)
    assert (names, code, crashes) == (["RustError"], "var a = 1;\n", {})
    assert generation <= 1


async def query(times):
    prql = await load_package("prql-js/dist/web/prql_js.js")
    errors = [caught(prql.compile, "from x | filter (", prql.CompileOptions()) for _ in range(times)]
    good = prql.compile("from x", prql.CompileOptions())
    return [{type(error).__name__ for error in errors} == {"RustError"}, str(errors[0])[:9], good[:6], numbers(prql)]


def test_bad_queries(py: InBrowser):
    """Each key that a user types is one bad query. Any number of them costs nothing."""
    assert py.run(query, times=1500) == [True, '{"inner":', "SELECT", [0, {}]]


async def render():
    jinja = await load_package("minijinja-js/dist/web/minijinja_js.js")
    environment = jinja.Environment()
    mine = KeyError("mine")

    def fail(_value):
        raise mine

    environment.addFilter("fail", fail)
    error = caught(environment.renderStr, "{{ 1|fail }}", {})
    return [type(error).__name__, error.__cause__ is mine]


def test_a_filter_that_raises(py: InBrowser):
    """Rust panics, in a build without names and without a hook. The exception is the cause of the trap."""
    assert py.run(render) == ["Trap", True]


async def simulate(steps):
    rapier = await load_package("@dimforge/rapier3d-compat/rapier_wasm3d.js")
    make, turned = rapier.RawVector, rapier.RawRotation
    bodies, colliders = rapier.RawRigidBodySet(), rapier.RawColliderSet()

    def add(shape, height, kind):
        at, none, rotation = make(0, height, 0), make(0, 0, 0), turned(0, 0, 0, 1)
        flags = [True] * 6
        body = bodies.createRigidBody(
            True, at, rotation, 1, 1, False, none, none, none, none, rotation, *flags, 0, 0, kind, True, False, 0,
            False, 0, 0,
        )  # fmt: skip
        return colliders.createCollider(
            True, shape, none, rotation, 0, 0, none, none, rotation, 1, 0.5, 0, 0, 0, False, 0xFFFFFFFF, 0xFFFFFFFF, 15,
            1, 0, 0, 0, True, body, bodies,
        )  # fmt: skip

    add(rapier.RawShape.cuboid(5, 0.5, 5), 0, 1)
    ball = add(rapier.RawShape.ball(0.5), 0.9, 0)
    errors = []

    def hook(first, *_others):
        errors.append(caught(colliders.coTranslation, first))
        return 1

    names = "IslandManager BroadPhase NarrowPhase"
    world = [rapier.RawIntegrationParameters(), *(getattr(rapier, f"Raw{name}")() for name in names.split())]
    joints = [rapier.RawImpulseJointSet(), rapier.RawMultibodyJointSet(), rapier.RawCCDSolver()]
    pipeline = rapier.RawPhysicsPipeline()
    for _ in range(steps):
        pipeline.stepWithEvents(
            make(0, -9.81, 0), *world, bodies, colliders, *joints, rapier.RawEventQueue(True), {}, hook, hook
        )
    height = colliders.coTranslation(ball).y
    return [
        len(errors) >= steps,
        sorted({f"{type(error).__name__}: {error}" for error in errors}),
        height > 0.9,
        numbers(rapier),
    ]


def test_a_hook_that_reads_what_is_in_use(py: InBrowser):
    """The error names the object and the call, and the simulation goes on with all its state."""
    module = "rapier_wasm3d"
    said = (
        f"RustError: This {module}.RawColliderSet is in use by {module}.RawPhysicsPipeline.step_with_events, "
        f"which has not ended; it cannot be used in {module}.RawColliderSet.co_translation meanwhile."
    )
    assert py.run(simulate, steps=3) == [True, [said], True, [0, {}]]
