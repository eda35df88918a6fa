"""Typed use of whatsapp-rust-bridge."""

from typing import assert_type

import whatsapp_rust_bridge as bridge


def packed(content: str) -> bytes:
    assert_type(bridge.md5(b"hello"), bytes)
    node: bridge.BinaryNode = {"tag": "a", "attrs": {"b": "c"}, "content": content}
    bridge.md5(content)  # wrong
    return bridge.encode_node(node)
