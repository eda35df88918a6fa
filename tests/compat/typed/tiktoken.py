"""Typed use of tiktoken."""

from array import array
from typing import assert_type

import tiktoken


def tokens(text: str) -> int:
    encoding = tiktoken.get_encoding("gpt2", {"!": 0})
    found = encoding.encode(text, "all")
    assert_type(found, array[int])
    assert_type(encoding.decode(found), bytes)
    assert_type(encoding.name, str | None)
    encoding.encode(text, 1)  # wrong
    tiktoken.get_encoding("gpt-4")  # wrong
    return len(found)
