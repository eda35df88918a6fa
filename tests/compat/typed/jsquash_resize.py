"""Typed use of @jsquash/resize."""

from typing import assert_type

import jsquash_resize


def half(pixels: bytearray, width: int, height: int) -> bytes:
    smaller = jsquash_resize.resize(pixels, width, height, width // 2, height // 2, 3, True, True)
    assert_type(smaller, bytes)
    jsquash_resize.resize(pixels, width, height, width / 2, height // 2, 3, True, True)  # wrong
    jsquash_resize.resize(pixels, width, height)  # wrong
    return smaller
