"""Typed use of @one-ini/wasm."""

from array import array
from typing import assert_type

import one_ini_wasm as ini


def numbers(text: str) -> array[int]:
    print(ini.parse_to_json(text)["body"], ini.TokenTypes.Section.value)
    assert_type(ini.version(), str)
    ini.parse_to_json(text.encode())  # wrong
    return ini.parse_to_uint32array(text.encode())
