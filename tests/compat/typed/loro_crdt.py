"""Typed use of loro-crdt."""

from typing import assert_type

import loro_crdt as loro


def document() -> str:
    doc = loro.LoroDoc()
    text = doc.get_text("text")
    assert_type(text, loro.LoroText)
    text.insert(0, "Hello")
    assert_type(text.length, int)
    doc.get_map("map").set("key", {"a": [1, 2]})
    assert_type(doc.get_list("list"), loro.LoroList)
    stop = doc.subscribe_local_updates(lambda update: print(update.hex()))
    stop()
    assert_type(doc.export({"mode": "snapshot"}), bytes)
    doc.export({"mode": "everything"})  # wrong
    text.insert("Hello")  # wrong
    return text.to_string()
