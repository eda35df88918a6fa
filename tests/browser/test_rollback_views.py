"""JavaScript keeps views of a module's memory, and writes through them whenever it likes: a rollback knows of it."""

import pytest

from tests.browser.rollbacks import UNDOING, UNDONE, fate, tally, undoing

pytestmark = pytest.mark.each_build

EACH_BUILD = pytest.mark.parametrize("build", UNDOING)

# The module calls `take` or `keep_bytes`, which keep what they get.
PAGE = """
(() => {
  const kept = [];
  const page = {
    list: [],
    object: {},
    address: 0,
    take(given) { kept.push(given); },
    takeResult(make) { kept.push(make()); },
    takeError(make) { try { make(); } catch (error) { kept.push(error); } },
    view() {
      let [given] = kept.flat().map((each) => each?.view ?? each?.memory ?? each);
      if (given instanceof WebAssembly.Memory) given = given.buffer;
      return given instanceof ArrayBuffer ? new Uint8Array(given, page.address, 50_000) : given;
    },
    addressOf() { return page.view().byteOffset; },
    write(at, value) { page.view()[at] = value; },
    clear() { kept.length = page.list.length = 0; page.object = {}; },
  };
  page.keeper = { set: page.take };
  globalThis.keep_bytes = page.take;
  return page;
})()
"""

WAYS = [
    "pass_view", "pass_buffer", "pass_slice", "set_slice", "push_view", "put_view", "closure", "return_memory",
    "pass_exports", "pass_kept",
]  # fmt: skip


def leave(way, views, page):
    """Has something of the module's memory leave Rust."""
    ways = {
        "pass_view": lambda: views.pass_view(page.take),
        "pass_buffer": lambda: views.pass_buffer(page.take),
        "pass_slice": views.pass_slice,
        "set_slice": lambda: views.set_slice(page.keeper),
        "push_view": lambda: [views.push_view(page.list), page.take(page.list)],
        "put_view": lambda: [views.put_view(page.object), page.take(page.object)],
        "closure": lambda: views.pass_closure(page.takeResult),
        "return_memory": lambda: page.take(views.return_memory()),
        "pass_exports": lambda: views.pass_exports(page.take),
        "pass_kept": lambda: [views.keep_view(), views.pass_kept(page.take)],
    }
    views.sum()  # makes the numbers
    ways[way]()


async def write_late(build, way):
    """JavaScript writes between two calls, and in a call that fails. Returns what became of both, three times."""
    import unpanic
    from pyodide.code import run_js

    page = run_js(PAGE)
    views = await undoing(build, "views")
    before = unpanic.status(views).why
    other = await undoing(build, "views")
    leave("pass_view", other, page)
    page.address = page.addressOf()  # for who gets the whole memory; every instance has it there
    page.clear()
    unpanic.unload(other)
    leave(way, views, page)
    answers = [unpanic.status(views).why.removeprefix(before)]
    for number in range(3):
        page.write(40_000 + number, 1)
        views.count()
        page.write(number, 7)
        outcome = fate(views.write_and_fail, 30_000, lambda: page.write(20_000, 50))
        answers.append([outcome, views.sum(), views.count()])
    # The last crash has frames that hold the page, until Python collects its garbage, and Chromium makes few memories.
    page.clear()
    return [*answers, tally(views)]


@EACH_BUILD
@pytest.mark.parametrize("way", WAYS)
def test_a_view_that_left_is_written_to_at_any_time(py, build, way):
    """What was written before the failed call stays, what was written in it is undone."""
    why, *rounds, counts = py.run(write_late, build=build, way=way)
    assert why == "; it has given JavaScript a view of its memory, so each call copies all of it"
    assert rounds == [[UNDONE, 8, 2], [UNDONE, 16, 4], [UNDONE, 24, 6]]
    assert counts == [0, 3, 0]


async def go_back(build):
    """A checkpoint has what was written through a view before it, and not what came later."""
    import unpanic
    from pyodide.code import run_js

    page = run_js(PAGE)
    views = await undoing(build, "views")
    views.pass_view(page.take)
    page.write(0, 1)
    first = unpanic.checkpoint(views)
    page.write(1, 10)
    page.write(49_999, 10)
    second = unpanic.checkpoint(views)
    page.write(2, 100)
    answers = [views.sum()]
    for point in (first, second, first):
        unpanic.restore(views, point)
        answers.append(views.sum())
    try:
        with unpanic.transaction(views):
            page.write(3, 100)
            raise KeyError
    except KeyError:
        answers.append(views.sum())
    return answers


@EACH_BUILD
def test_checkpoints_of_a_memory_that_was_given_away(py, build):
    assert py.run(go_back, build=build) == [121, 1, 21, 1, 1]


async def copy(build):
    import unpanic
    from pyodide.code import run_js

    views = await undoing(build, "views")
    before = unpanic.status(views).why
    data = run_js("Uint8Array.of(3, 4, 5)")
    copied = [list(views.copy(data)) for _ in range(3)]
    outcome = fate(views.write_and_fail, 0, lambda: views.copy(data))
    return [copied, outcome, views.sum(), unpanic.status(views).why == before]


@EACH_BUILD
def test_views_that_only_serve_to_copy(py, build):
    """The memory is not given away by them, so calls stay cheap."""
    copied, outcome, total, is_cheap = py.run(copy, build=build)
    assert copied == [[3, 4, 5, 3]] * 3
    assert (outcome, total, is_cheap) == (UNDONE, 7, True)


async def grow(build):
    import unpanic
    from pyodide.code import run_js

    page = run_js(PAGE)
    views = await undoing(build, "views")
    page.address = 0
    page.take(views.return_memory())
    outcome = fate(views.grow_and_fail, 3)
    size = run_js("memory => memory.buffer.byteLength")(views.return_memory())
    return [outcome, size == unpanic.status(views).memory_bytes, views.count()]


@EACH_BUILD
def test_who_has_the_memory_keeps_it_when_it_has_grown(py, build):
    """No other memory takes its place then."""
    assert py.run(grow, build=build) == [UNDONE, True, 1]


async def grow_beside_a_view(build):
    """Growth detaches the view, whether it is undone or not."""
    import unpanic
    from pyodide.code import run_js

    page = run_js(PAGE)
    views = await undoing(build, "views")
    why = unpanic.status(views).why
    views.count()
    views.pass_view(page.take)  # may need a page of memory
    before = unpanic.status(views).memory_bytes
    rows = []
    for _ in range(3):
        page.clear()
        views.pass_view(page.take)
        given = unpanic.status(views).why.removeprefix(why)
        outcome = fate(views.grow_and_fail, 3)
        rows.append([outcome, given != "", page.view().byteLength, unpanic.status(views).memory_bytes - before])
        rows[-1].append(unpanic.status(views).why == why)
        # A view that is handed out from now on is written to at any time, as ever.
        page.clear()
        views.pass_view(page.take)
        outcome = fate(views.write_and_fail, 30_000, lambda: page.write(20_000, 50))
        rows[-1].append([outcome, page.view()[20_000]])
    return rows, views.count(), tally(views)


@EACH_BUILD
def test_memory_that_grew_is_given_back_although_javascript_has_a_view(py, build):
    rows, count, counts = py.run(grow_beside_a_view, build=build)
    assert rows == [[UNDONE, True, 0, 0, True, [UNDONE, 0]]] * 3
    assert count == 2
    assert counts[::2] == [0, 0]
