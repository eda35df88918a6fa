"""Typed use of automerge's Rust module."""

from typing import assert_type

import automerge_automerge as automerge


def document() -> bytes:
    doc = automerge.create({"actor": "aa"})
    assert_type(doc, automerge.Automerge)
    doc.put("/", "title", "Rust")
    doc.put("/", "count", 3)
    assert_type(doc.keys("/"), list[str])
    copy = automerge.load(doc.save())
    assert_type(copy.fork(), automerge.Automerge)
    assert_type(doc.generate_sync_message(automerge.init_sync_state()), bytes | None)
    automerge.load("document")  # wrong
    doc.put("/", None, "Rust")  # wrong
    return doc.save()
