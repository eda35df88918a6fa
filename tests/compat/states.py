"""Packages that keep data: how a state is built, looked at and changed, and the crashes that it outlives.

The functions run inside Pyodide.
"""

from __future__ import annotations

from tests.compat.packages.languages import nested
from tests.compat.table import Stateful

# loro-crdt: a document with a text, a map, and a listener.


def loro_build(module):
    document = module.LoroDoc()
    document.set_peer_id("7")
    seen = []
    document.get_text("t").insert(0, "hello")
    document.get_map("m").set("answer", 42)
    document.commit()
    return {"document": document, "map": document.get_map("m"), "seen": seen}


def loro_look(_module, kept):
    return [kept["document"].to_json(), kept["map"].get("answer")]


def loro_change(_module, kept):
    kept["document"].get_text("t").insert(0, "x")
    kept["document"].commit()


def loro_crash(_module, kept):
    """The document is written to by its own callback, which also ends another subscription."""
    import unpanic

    document, crashes = kept["document"], []
    unsubscribe = document.subscribe_local_updates(lambda _bytes: None)

    def write_again(_event):
        unsubscribe()
        try:
            document.get_map("m").set("again", 2)
        except unpanic.Crash as crash:
            crashes.append(crash)

    stop = document.subscribe_pre_commit(write_again)
    document.get_map("m").set("answer", 43)
    try:
        document.commit()
    except unpanic.CallInterrupted:
        raise crashes[0] from None
    finally:
        stop()
        unsubscribe()
        document.get_map("m").set("answer", 42)
        document.commit()


def loro_time_out(_module, kept):
    import unpanic

    with unpanic.deadline(0.05):
        text = kept["document"].get_text("t")
        text.update("ab" * 200_000)
        text.update("ba" * 200_000)


# @automerge/automerge-wasm: a document with a text and a list.


def automerge_build(module):
    document = module.create({"actor": "aabbcc"})
    document.put_object("/", "t", "hello")
    document.put_object("/", "l", [1, 2, 3])
    document.commit()
    return {"document": document}


def automerge_look(_module, kept):
    return kept["document"].materialize("/")


def automerge_change(_module, kept):
    kept["document"].splice("/t", 0, 0, "x")


def automerge_overflow(_module, kept):
    from pyodide.code import run_js

    deep = run_js("let nested = []; for (let depth = 0; depth < 20_000; depth++) nested = [nested]; nested")
    kept["document"].put_object("/", "deep", deep)


def automerge_throw(_module, kept):
    from pyodide.code import run_js

    bad = run_js("({ get x() { throw new Error('mine'); } })")
    kept["document"].put_object("/", "bad", bad)


def automerge_time_out(_module, kept):
    import unpanic

    with unpanic.deadline(0.05):
        kept["document"].update_text("/t", "ab" * 20_000)
        kept["document"].update_text("/t", "ba" * 20_000)


# oxigraph: a store with three quads, and a node.


def oxigraph_build(module):
    store = module.Store()
    for number in range(3):
        subject = module.named_node(f"http://example.com/{number}")
        store.add(module.quad(subject, module.named_node("http://example.com/is"), module.literal(str(number))))
    return {"store": store, "node": module.named_node("http://example.com/kept")}


def oxigraph_look(_module, kept):
    quads = [[quad.subject.value, quad.object.value] for quad in kept["store"].match()]
    return [kept["store"].size, sorted(quads), kept["node"].value]


def oxigraph_change(module, kept):
    number = kept["store"].size
    store = kept["store"]
    store.add(module.quad(kept["node"], module.named_node("http://example.com/is"), module.literal(str(number))))


def oxigraph_overflow(_module, kept):
    kept["store"].query("SELECT * WHERE " + "{" * 100_000 + "}" * 100_000)


def oxigraph_overflow_in_update(_module, kept):
    kept["store"].update("INSERT { <http://a> <http://b> <http://c> } WHERE " + "{" * 100_000 + "}" * 100_000)


def oxigraph_time_out(_module, kept):
    import unpanic

    lines = "\n".join(f'<http://a/{number}> <http://b> "{number}" .' for number in range(300))
    with unpanic.deadline(0.3):
        # A query in an update, which has inserted before.
        kept["store"].update(
            f"INSERT DATA {{ {lines} }};"
            "INSERT { ?a ?b ?c } WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?o }"
        )


def oxigraph_exhaust(_module, kept):
    doubled = " ".join(f"BIND(CONCAT(?v{at}, ?v{at}) AS ?v{at + 1})" for at in range(40))
    kept["store"].query(f'SELECT ?v40 WHERE {{ BIND("{"x" * 1000}" AS ?v0) {doubled} }}')


# taffy-layout: a tree of nodes with contexts.


def taffy_build(module):
    tree = module.TaffyTree()
    style = module.Style()
    leaves = [tree.new_leaf(style) for _ in range(3)]
    root = tree.new_with_children(style, leaves)
    tree.set_node_context(leaves[0], {"name": "first"})
    return {"tree": tree, "style": style, "leaves": leaves, "root": root}


def taffy_look(_module, kept):
    tree = kept["tree"]
    return [tree.total_node_count(), tree.child_count(kept["root"]), tree.get_node_context(kept["leaves"][0])]


def taffy_change(_module, kept):
    tree = kept["tree"]
    tree.add_child(kept["root"], tree.new_leaf(kept["style"]))


def taffy_remove_twice(_module, kept):
    tree = kept["tree"]
    leaf = tree.new_leaf(kept["style"])
    tree.remove(leaf)
    tree.remove(leaf)


def taffy_unknown(_module, kept):
    kept["tree"].child_count(123_456_789)


# @biomejs/wasm-web: a workspace with an open file.


def biome_build(module):
    workspace = module.Workspace()
    project = workspace.open_project({"path": "/", "openUninitialized": True})["projectKey"]
    workspace.update_settings({"projectKey": project, "configuration": {}, "workspaceDirectory": "/"})
    kept = {"workspace": workspace, "project": project, "count": 1}
    biome_open(kept, "/a.js", "a  =1")
    return kept


def biome_open(kept, path, source):
    content = {"type": "fromClient", "content": source, "version": 0}
    kept["workspace"].open_file({"projectKey": kept["project"], "path": path, "content": content})


def biome_look(_module, kept):
    names = [f"/{letter}.js" for letter in "abcdef"[: kept["count"]]]
    workspace, project = kept["workspace"], kept["project"]
    return [workspace.format_file({"projectKey": project, "path": name})["code"] for name in names]


def biome_change(_module, kept):
    biome_open(kept, f"/{'abcdef'[kept['count']]}.js", f"b  ={kept['count']}")
    kept["count"] += 1


def biome_overflow(_module, kept):
    biome_open(kept, "/deep.js", nested("(", ")"))
    kept["workspace"].format_file({"projectKey": kept["project"], "path": "/deep.js"})


def biome_time_out(_module, kept):
    import unpanic

    with unpanic.deadline(0.1):
        biome_open(kept, "/long.js", "if (a) { b(c) }\n" * 50_000)


# ywasm, for Node: a document with a text and a map.


def ywasm_build(module):
    document = module.YDoc({})
    kept = {"document": document, "text": document.get_text("t"), "map": document.get_map("m")}
    kept["text"].insert(0, "hello", None, None)
    kept["map"].set("answer", 42, None)
    return kept


def ywasm_look(module, kept):
    kinds = [kept["text"].to_string(None), kept["map"].to_json(None)]
    return [*kinds, list(module.encode_state_as_update(kept["document"], None))]


def ywasm_change(_module, kept):
    kept["text"].insert(0, "x", None, None)


def ywasm_delete_too_much(_module, kept):
    kept["text"].delete(2, 99, None)


def ywasm_throw(_module, kept):
    from pyodide.code import run_js

    kept["map"].set("bad", run_js("({ get x() { throw new Error('mine'); } })"), None)


LORO = Stateful("loro-crdt", "web/loro_wasm.js", "a document, with a listener")
AUTOMERGE = Stateful("@automerge/automerge-wasm", "web/automerge_wasm.js", "a document")
OXIGRAPH = Stateful("oxigraph", "web.js", "a store of quads")
OXIGRAPH_OF_2023 = Stateful("oxigraph-0.3", "web.js", "a store of quads")
TAFFY = Stateful("taffy-layout", "pkg/taffy_wasm.js", "a tree of nodes")
BIOME = Stateful("@biomejs/wasm-web", "biome_wasm.js", "a workspace with open files")
YWASM = Stateful("ywasm", "ywasm.js", "a document")
STATES = {
    LORO: (loro_build, loro_look, loro_change),
    AUTOMERGE: (automerge_build, automerge_look, automerge_change),
    OXIGRAPH: (oxigraph_build, oxigraph_look, oxigraph_change),
    OXIGRAPH_OF_2023: (oxigraph_build, oxigraph_look, oxigraph_change),
    TAFFY: (taffy_build, taffy_look, taffy_change),
    BIOME: (biome_build, biome_look, biome_change),
    YWASM: (ywasm_build, ywasm_look, ywasm_change),
}
CRASHES = [
    (LORO, loro_crash),
    (LORO, loro_time_out),
    (AUTOMERGE, automerge_overflow),
    (AUTOMERGE, automerge_throw),
    (AUTOMERGE, automerge_time_out),
    (OXIGRAPH, oxigraph_overflow),
    (OXIGRAPH, oxigraph_overflow_in_update),
    (OXIGRAPH, oxigraph_time_out),
    (OXIGRAPH, oxigraph_exhaust),
    (OXIGRAPH_OF_2023, oxigraph_overflow),
    (TAFFY, taffy_remove_twice),
    (TAFFY, taffy_unknown),
    (BIOME, biome_overflow),
    (BIOME, biome_time_out),
    (YWASM, ywasm_delete_too_much),
    (YWASM, ywasm_throw),
]
