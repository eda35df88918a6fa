"""Typed use of ywasm."""

from typing import assert_type

import ywasm


def copied(text: str) -> str:
    document = ywasm.YDoc({})
    document.get_text("t").insert(0, text, None, None)
    update = ywasm.encode_state_as_update(document)
    assert_type(update, bytes)
    copy = ywasm.YDoc()
    ywasm.apply_update(copy, update)
    ywasm.apply_update(update, copy)  # wrong
    copy.get_text("t").insert("0", text, None, None)  # wrong
    return copy.get_text("t").to_string(None)
