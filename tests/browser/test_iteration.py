"""Exported classes that are iterators: a parser that takes text in parts, and gives facts one by one."""

OPTIONS = {"format": "application/n-triples"}
BROKEN = "<http://a/> <http://b/> ."


def line(number):
    return f'<http://a/> <http://b/> "{number}" .\n'


async def parse(broken):
    import unpanic

    oxigraph = await unpanic.load("/npm/oxigraph/web.js", name="oxigraph")
    taken = []

    def chunks():
        for number in range(3):
            taken.append(number)
            yield line(number)
        if broken:
            yield BROKEN

    async def chunks_later():
        for chunk in chunks():
            yield chunk

    found = []
    try:
        facts = oxigraph.parse(chunks(), OPTIONS)
        found.append(next(facts).object.value)
        found.append(len(taken))
        found += [fact.object.value for fact in facts]
    except unpanic.RustError as error:
        found.append(type(error).__name__)
    try:
        found += [fact.object.value async for fact in oxigraph.parse(chunks_later(), OPTIONS)]
    except unpanic.RustError as error:
        found.append(type(error).__name__)
    crashes = unpanic.status(oxigraph).crashes
    unpanic.unload(oxigraph)
    return [found, crashes]


def test_an_exported_class_that_is_an_iterator(py):
    """`for` and `async for` take the items of its `next`, each only when they need it."""
    (first, taken, *rest), crashes = py.run(parse, broken=False)
    assert [first, *rest] == ["0", "1", "2", "0", "1", "2"]
    assert taken < 3
    assert crashes == {}


def test_an_iterator_that_fails(py):
    """An error from Rust ends the loop. The parser decides how many items come before the error."""
    found, crashes = py.run(parse, broken=True)
    assert found.count("RustError") == 2
    assert found[-1] == "RustError"
    assert crashes == {}
