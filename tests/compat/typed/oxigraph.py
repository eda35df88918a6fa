"""Typed use of oxigraph."""

from typing import assert_type

import oxigraph


def store() -> str:
    name = oxigraph.named_node("http://example.org/name")
    store = oxigraph.Store([oxigraph.quad(name, name, oxigraph.literal("Rust", {"language": "en"}))])
    assert_type(store.size, int)
    for quad in store.match(subject=name):
        assert_type(quad, oxigraph.Quad)
        assert_type(quad.predicate.value, str)
    store.load("<a> <b> <c>.", {"format": "text/turtle", "base_iri": name})
    answer = store.query("SELECT * { ?s ?p ?o }")
    if isinstance(answer, list):
        assert_type(oxigraph.parse("", {"format": "text/turtle"}), list[oxigraph.Quad])
    store.add(name)  # wrong
    store.load("<a> <b> <c>.", {"base_iri": name})  # wrong
    return store.dump({"format": "text/turtle"})
