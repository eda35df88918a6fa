"""Typed use of oxigraph 0.3."""

from typing import assert_type

import oxigraph_0_3 as oxigraph


def store() -> str:
    store = oxigraph.Store()
    name = oxigraph.named_node("http://example.org/name")
    assert_type(name, oxigraph.NamedNode)
    value = oxigraph.literal("Rust", "en")
    assert_type(value, oxigraph.Literal)
    assert_type(value.datatype.value, str)
    store.add(oxigraph.quad(name, name, value, None))
    store.update(1)  # wrong
    value.language = "de"  # wrong
    return store.dump("text/turtle", None)
