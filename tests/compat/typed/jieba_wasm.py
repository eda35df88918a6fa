"""Typed use of jieba-wasm."""

from typing import assert_type

import jieba_wasm as jieba


def words(text: str) -> list[str]:
    assert_type(jieba.tokenize(text, "default", True), list[jieba.Token])
    assert_type(jieba.tag(text)[0]["tag"], str)
    jieba.add_word(text, "often")  # wrong
    return jieba.cut(text)
