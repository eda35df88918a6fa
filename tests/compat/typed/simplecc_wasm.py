"""Typed use of simplecc-wasm."""

from typing import assert_type

import simplecc_wasm as simplecc


def simple(text: str) -> str:
    assert_type(simplecc.simplecc(text, "t2s"), str)
    simplecc.simplecc(text)  # wrong
    return simplecc.simplecc(text, name="t2s")
