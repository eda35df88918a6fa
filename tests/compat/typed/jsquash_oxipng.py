"""Typed use of @jsquash/oxipng."""

from typing import assert_type

import jsquash_oxipng as oxipng


def smaller(picture: bytes) -> bytes:
    small = oxipng.optimise(picture, level=2, interlace=False)
    assert_type(small, bytes)
    assert_type(oxipng.optimise(memoryview(picture), 2, True), bytes)
    oxipng.optimise(picture, 2.5, False)  # wrong
    oxipng.optimise("picture.png", 2, False)  # wrong
    return small
