"""Packages that keep data."""

from dataclasses import replace

from tests.compat.package import Package


def triples(module):
    store = module.Store()
    for number in range(3):
        subject = module.named_node(f"http://example.com/{number}")
        store.add(module.quad(subject, module.named_node("http://example.com/is"), module.literal(str(number))))
    return store


def oxigraph_use(module):
    store = triples(module)
    found = store.query('SELECT ?s WHERE { ?s ?p ?o FILTER(?o = "2") }')
    return [store.size, [solution.get("s").value for solution in found]]


def oxigraph_use_by_keywords(module):
    """Uses the names in the package's `.d.ts`, which was written by hand; the glue's comments have others."""
    store = module.Store()
    store.load(input='<http://example.com/a> <http://example.com/b> "2" .', options={"format": "application/n-triples"})
    literal = module.literal("2", language_or_data_type=None)
    return [
        oxigraph_use(module),
        [quad.object.equals(other=literal) for quad in store.match(graph=module.default_graph())],
    ]


def oxigraph_crash(module):
    module.Store().query("SELECT * WHERE " + "{" * 100_000 + "}" * 100_000)


def oxigraph_keep(module):
    return module.named_node("http://example.com/kept")


def oxigraph_ask(_module, node):
    return node.value


def loro_use(module):
    document = module.LoroDoc()
    document.get_text("t").insert(0, "hello")
    document.get_map("m").set("answer", 42)
    copy = module.LoroDoc()
    copy.import_(document.export({"mode": "snapshot"}))
    return copy.to_json()


def loro_crash(module):
    import unpanic

    document = module.LoroDoc()
    crashes = []

    def write_again(_event):
        try:
            document.get_map("m").set("again", 2)
        except unpanic.Crash as crash:
            crashes.append(crash)

    document.subscribe_pre_commit(write_again)
    document.get_map("m").set("once", 1)
    try:
        document.commit()
    except unpanic.CallInterrupted:
        raise crashes[0] from None


def loro_keep(module):
    return module.LoroDoc().get_map("m")


def loro_ask(_module, container):
    return container.kind()


def automerge_use(module):
    document = module.create({"actor": "aabbcc"})
    document.put("/", "answer", 42)
    return module.load(document.save(), {}).get("/", "answer")


def automerge_crash(module):
    change = {"actor": "aabbcc", "seq": 77, "startOp": 1, "time": 0, "message": None, "deps": [], "ops": []}
    module.create({"actor": "aabbcc"}).apply_changes([module.encode_change(change)])


def automerge_keep(module):
    document = module.create({"actor": "aabbcc"})
    document.put("/", "answer", 42)
    return document


def automerge_ask(_module, document):
    return document.get("/", "answer")


OXIGRAPH = Package(
    folder="oxigraph",
    glue="web.js",
    wasm="web_bg.wasm",
    use=oxigraph_use_by_keywords,
    gives=[[3, ["http://example.com/2"]], [True]],
    crash=oxigraph_crash,
    how="a query nested 100,000 deep",
    raises=("StackOverflow", "Trap"),
    keep=oxigraph_keep,
    ask=oxigraph_ask,
    answers=("http://example.com/kept", "StaleObjectError"),
)

PACKAGES = [
    replace(OXIGRAPH, folder="oxigraph-0.3", use=oxigraph_use, gives=[3, ["http://example.com/2"]]),
    OXIGRAPH,
    Package(
        folder="loro-crdt",
        glue="web/loro_wasm.js",
        wasm="web/loro_wasm_bg.wasm",
        use=loro_use,
        gives={"t": "hello", "m": {"answer": 42}},
        crash=loro_crash,
        how="a document that is written to by its own callback",
        raises=("RustPanic",),
        keep=loro_keep,
        ask=loro_ask,
        answers=("Map", "StaleObjectError"),
    ),
    Package(
        folder="@automerge/automerge",
        glue="dist/mjs/wasm_bindgen_output/web/automerge_wasm.js",
        wasm="dist/mjs/wasm_bindgen_output/web/automerge_wasm_bg.wasm",
        # They are where its own TypeScript needs them.
        types="dist/wasm_types.d.ts",
        use=automerge_use,
        gives=42,
        crash=automerge_crash,
        how="a change without the 76 before it",
        raises=("RustPanic",),
        keep=automerge_keep,
        ask=automerge_ask,
        answers=(42, 42),
    ),
]
